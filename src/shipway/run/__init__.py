"""The only place with side effects: facts are gathered, commands are run, remotes are asked."""
