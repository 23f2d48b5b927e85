"""From facts and settings to what should exist: context, tags, labels, caches, releases, notes. Pure: what does exist is
the world, which ``stages/`` observe."""
