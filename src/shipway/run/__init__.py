"""What each task does: it gathers facts, carries the pipeline's stages out, and says what came of it. It prints nothing and
knows no command line; that is the business of ``tasks/``."""
