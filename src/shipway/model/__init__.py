"""The words that stages speak: actions and answers, target and world, findings. Frozen data, and no decision."""
