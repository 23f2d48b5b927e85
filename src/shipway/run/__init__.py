"""These modules do what each task is for.

They gather facts, carry the pipeline's stages out, and say what came of it. They print nothing and
know no command line: that is the business of ``tasks/``.
"""
