"""Settings and variables of git that would change an answer, a file or a commit if anybody listened to them."""

from __future__ import annotations

from pathlib import Path

from shipway.tools.git_environment import LOCAL_VARIABLES

HOOKS = (
    "post-checkout",
    "post-commit",
    "post-index-change",
    "pre-commit",
    "commit-msg",
    "pre-push",
    "prepare-commit-msg",
    "reference-transaction",
)
SETTINGS: dict[str, str] = {
    "what is checked out": """
        core.attributesFile={folder}/attributes
        core.autocrlf=true
        core.bigFileThreshold=1
        core.checkStat=minimal
        core.eol=crlf
        core.excludesFile={folder}/excludes
        core.fileMode=false
        core.ignoreCase=true
        core.ignoreStat=true
        core.precomposeUnicode=true
        core.protectNTFS=true
        core.safecrlf=true
        core.sharedRepository=0666
        core.sparseCheckout=true
        core.sparseCheckoutCone=true
        core.symlinks=false
        core.trustctime=false
        checkout.defaultRemote=other
        checkout.guess=false
        checkout.workers=4
        clone.defaultRemoteName=upstream
        clone.rejectShallow=true
        submodule.propagateBranches=true
        submodule.recurse=true
    """,
    "how it is stored": """
        core.alternateRefsCommand=false
        core.commitGraph=false
        core.createObject=rename
        core.fsmonitor={folder}/hooks/fsmonitor
        core.hooksPath={folder}/hooks
        core.logAllRefUpdates=always
        core.preloadIndex=false
        core.splitIndex=true
        core.untrackedCache=true
        core.useReplaceRefs=false
        feature.experimental=true
        feature.manyFiles=true
        gc.auto=1
        gc.autoDetach=true
        index.skipHash=true
        index.sparse=true
        index.version=4
        init.defaultBranch=trunk
        init.defaultObjectFormat=sha256
        init.defaultRefFormat=reftable
        init.templateDir={folder}/template
        maintenance.auto=true
        safe.bareRepository=explicit
    """,
    "who commits": """
        author.email=mallory@example.org
        author.name=Mallory
        committer.email=mallory@example.org
        committer.name=Mallory
        commit.gpgSign=true
        gpg.format=ssh
        gpg.program=false
        gpg.ssh.program=false
        tag.forceSignAnnotated=true
        tag.gpgSign=true
        user.email=mallory@example.org
        user.name=Mallory
        user.signingKey=nobody
        user.useConfigOnly=true
    """,
    "what a commit says": """
        commit.cleanup=scissors
        commit.status=false
        commit.template={folder}/nowhere
        commit.verbose=2
        core.commentChar=v
        core.editor=false
        i18n.commitEncoding=ISO-8859-1
        merge.ff=only
        merge.log=true
        pull.ff=only
        rebase.autoStash=true
        rerere.enabled=true
        sequence.editor=false
        trailer.separators=#
    """,
    "what is printed": """
        advice.detachedHead=true
        blame.coloring=repeatedLines
        color.advice=always
        color.branch=always
        color.decorate.HEAD=red
        color.diff=always
        color.push=always
        color.remote=always
        color.status=always
        color.transport=always
        color.ui=always
        column.branch=always
        column.tag=always
        column.ui=always
        core.abbrev=4
        core.notesRef=refs/notes/other
        core.pager=false
        core.quotePath=false
        grep.lineNumber=true
        i18n.logOutputEncoding=UTF-16
        pager.branch=true
        pager.config=true
        pager.show=true
        trace2.eventTarget={folder}/trace
    """,
    "what a log says": """
        branch.sort=-committerdate
        diff.external=false
        diff.ignoreSubmodules=all
        diff.mnemonicPrefix=true
        diff.noprefix=true
        diff.relative=true
        diff.renames=copies
        format.pretty=raw
        log.abbrevCommit=true
        log.date=relative
        log.decorate=full
        log.diffMerges=on
        log.follow=true
        log.mailmap=false
        log.showRoot=false
        log.showSignature=true
        mailmap.blob=HEAD:other.mailmap
        mailmap.file={folder}/mailmap
        notes.displayRef=refs/notes/*
        status.branch=true
        status.relativePaths=false
        status.renames=copies
        status.short=true
        status.showStash=true
        status.showUntrackedFiles=no
        status.submoduleSummary=true
        tag.sort=-creatordate
        versionsort.suffix=-rc
    """,
    "what is pushed": """
        branch.main.pushRemote=other
        branch.main.remote=other
        push.autoSetupRemote=true
        push.default=nothing
        push.followTags=true
        push.gpgSign=true
        push.negotiate=true
        push.pushOption=ci.skip
        push.recurseSubmodules=only
        push.useForceIfIncludes=true
        remote.origin.mirror=true
        remote.origin.push=refs/heads/*:refs/heads/stolen/*
        remote.pushDefault=other
    """,
    "what is fetched": """
        branch.autoSetupMerge=always
        branch.autoSetupRebase=always
        fetch.fsckObjects=true
        fetch.negotiationAlgorithm=noop
        fetch.output=compact
        fetch.parallel=0
        fetch.prune=true
        fetch.pruneTags=true
        fetch.recurseSubmodules=true
        fetch.showForcedUpdates=false
        fetch.unpackLimit=1
        fetch.writeCommitGraph=true
        remote.origin.fetch=+refs/heads/*:refs/tags/*
        remote.origin.prune=true
        remote.origin.tagOpt=--tags
        transfer.fsckObjects=true
        transfer.unpackLimit=1
    """,
}
"""Settings by what they would change; ``{folder}`` holds the files that they name."""
OF_A_CHECKOUT = """
        core.alternateRefsPrefixes=refs/none
        transfer.hideRefs=refs
        uploadpack.hideRefs=refs
        uploadpack.allowRefInWant=false
"""
"""Settings that are a server's business, but not where the checkout is read."""


def read_settings(text: str, folder: Path) -> list[tuple[str, str]]:
    """Read the lines of a group."""
    pairs: list[tuple[str, str]] = []
    for line in text.format(folder=folder).split("\n"):
        key, separator, value = line.strip().partition("=")
        if separator:
            pairs.append((key, value))
    return pairs


def write_files(folder: Path) -> None:
    """Write the files that the settings name."""
    for hooks in (folder / "hooks", folder / "template/hooks"):
        hooks.mkdir(parents=True)
        for name in (*HOOKS, "fsmonitor"):
            hook = hooks / name
            hook.write_text(f"#!/bin/sh\necho {name} >>{folder}/ran\nexit 1\n")
            hook.chmod(0o755)
    (folder / "template/info").mkdir()
    (folder / "template/info/attributes").write_text("* eol=crlf\n")
    (folder / "attributes").write_text("* text eol=crlf ident\n")
    (folder / "excludes").write_text("*\n")
    (folder / "mailmap").write_text("Mallory <mallory@example.org> <a@b>\n")


def variables(folder: Path) -> dict[str, str]:
    """Give every variable that names a repository or shapes what git does, with a value that does harm."""
    given = dict.fromkeys(LOCAL_VARIABLES, str(folder / "nowhere"))
    given |= {
        "GIT_ATTR_SOURCE": "HEAD",
        "GIT_AUTHOR_DATE": "1 +0000",
        "GIT_AUTHOR_EMAIL": "mallory@example.org",
        "GIT_AUTHOR_NAME": "Mallory",
        "GIT_CEILING_DIRECTORIES": str(folder.parent.parent),
        "GIT_COMMITTER_DATE": "1 +0000",
        "GIT_COMMITTER_EMAIL": "mallory@example.org",
        "GIT_COMMITTER_NAME": "Mallory",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.autocrlf",
        "GIT_CONFIG_KEY_1": "core.hooksPath",
        "GIT_CONFIG_PARAMETERS": "'commit.gpgsign'='true' 'core.eol=crlf'",
        "GIT_CONFIG_VALUE_0": "true",
        "GIT_CONFIG_VALUE_1": str(folder / "hooks"),
        "GIT_DEFAULT_HASH": "sha256",
        "GIT_DEFAULT_REF_FORMAT": "reftable",
        "GIT_DIFF_OPTS": "--unified=0",
        "GIT_EDITOR": "false",
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_FLUSH": "1",
        "GIT_ICASE_PATHSPECS": "1",
        "GIT_INDEX_VERSION": "4",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NAMESPACE": "other",
        "GIT_NOTES_REF": "refs/notes/other",
        "GIT_OPTIONAL_LOCKS": "1",
        "GIT_PAGER": "false",
        "GIT_PYTHON_TRACE": "full",
        "GIT_QUARANTINE_PATH": "/nowhere",
        "GIT_REFLOG_ACTION": "mallory",
        "GIT_TEMPLATE_DIR": str(folder / "template"),
        "GIT_TRACE": "2",
        "GIT_TRACE2_EVENT": str(folder / "trace"),
        "GIT_TRACE_CURL": "1",
        "GIT_TRACE_SETUP": "1",
        "LANGUAGE": "de",
        "LC_ALL": "de_DE.UTF-8",
    }
    return given
