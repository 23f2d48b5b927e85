"""Make the git origin of a rehearsal: a bare folder that git takes for the project on GitHub."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shipway.effects.processes import Processes
from shipway.errors import ContextError
from shipway.image.repository import parse_remote
from shipway.model.actions import Answer, Command
from shipway.rehearsal.files import write_text
from shipway.run.whole_tree import adopt_filter
from shipway.settings import Settings
from shipway.target.context import Context
from shipway.target.preconditions import require_release_branch
from shipway.tools import git_checkout, git_origin
from shipway.tools.git_remote import quote_value

WORKING_TREE = "chore: what is not committed"
"""Is the message of the commit that takes along what is not committed."""
IDENTITY = {
    "GIT_AUTHOR_NAME": "rehearsal",
    "GIT_AUTHOR_EMAIL": "rehearsal@localhost",
    "GIT_COMMITTER_NAME": "rehearsal",
    "GIT_COMMITTER_EMAIL": "rehearsal@localhost",
}


def isolate(repository: str, bare: Path) -> dict[str, str]:
    """Give variables under which git reaches nothing but the bare folder, whatever its address.

    Only the ``file`` protocol is allowed, and no configuration of the user's or the machine's is
    read: what git has to know stands in a file beside the bare folder. Nothing tidies up in the
    background: it would work in a folder that is being deleted.
    """
    folder = quote_value(str(bare))
    address = quote_value(f"https://github.com/{repository}.git")
    settings = bare.with_name("gitconfig")
    write_text(
        settings,
        f"[url {folder}]\n\tinsteadOf = {address}\n"
        "[safe]\n\tdirectory = *\n"
        "[maintenance]\n\tauto = false\n",
    )
    return {
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "file",
        "GIT_TERMINAL_PROMPT": "0",
    }


def repository_of(project: Path, name: str, remote: str, environment: Mapping[str, str]) -> str:
    """Give ``owner/name`` of the project's remote; a made-up owner where none is on GitHub."""
    answer = _ask(git_checkout.find_remote_address(project, remote), environment)
    address = parse_remote(git_checkout.read_remote_address(answer))
    if address is None:
        return f"rehearsal/{name.lower()}"
    return address[1]


def choose_branch(
    project: Path,
    context: Context,
    settings: Settings,
    environment: Mapping[str, str],
) -> str:
    """Give the branch that is checked out, else the first release branch that there is.

    A release's tag that is checked out is rehearsed without one, too. Raises ``ContextError`` where
    nothing could be released.
    """
    branches = settings.release.branches
    if context.branch in branches:
        return context.branch
    question = git_origin.list_branches_named(project, settings.remote, branches)
    answer = _ask(question, environment)
    names = git_origin.read_branches_named(answer, settings.remote)
    present = [branch for branch in branches if branch in names]
    if not present:
        require_release_branch(context, settings.release)
    return [*present, *branches][0]


def make_origin(
    project: Path, folder: Path, branch: str, remote: str, environment: Mapping[str, str]
) -> Path:
    """Make a bare origin in ``folder``, with the project's head as ``branch`` and its tags.

    Gives the folder of the project in a clone of that origin. The project's repository is only
    read; ``take_working_tree`` takes what is not committed. Raises ``ContextError`` for a shallow
    clone.
    """
    answer = _ask(git_origin.ask_shallow(project), environment)
    if git_origin.read_shallow(answer):
        raise ContextError(
            "this is a shallow clone: there is no history to rehearse with",
            hint="run `git fetch --unshallow --tags`",
        )
    top, inside = _find_top(project, environment)
    bare = folder / "origin.git"
    make_bare = git_origin.clone_bare(folder, top, bare)
    _run(make_bare, environment)
    head = _run(git_origin.find_project_head(project), environment)
    set_branch = git_origin.set_branch(bare, branch, head)
    _run(set_branch, environment)
    set_head = git_origin.set_head(bare, branch)
    _run(set_head, environment)
    # The docs of earlier versions are the remote's matter; the rehearsal begins without any.
    clone = folder / "project"
    make_clone = git_origin.clone_branch(folder, bare, clone, remote, branch)
    _run(make_clone, environment)
    return clone / inside


def point_at_github(
    clone: Path, repository: str, remote: str, environment: Mapping[str, str]
) -> None:
    """Give the clone the address of a real one; git is told to look in the bare folder instead."""
    url = f"https://github.com/{repository}.git"
    _run(git_origin.set_remote_url(clone, remote, url), environment)


def take_working_tree(
    project: Path, clone: Path, remote: str, environment: Mapping[str, str]
) -> None:
    """Commit what is not committed in ``project`` to the clone and its origin.

    The project's repository is only read. Raises ``ContextError`` where some of it cannot be taken.
    """
    top, _ = _find_top(project, environment)
    clone_top, _ = _find_top(clone, environment)
    files = Path(top)
    repository = Path(clone_top, ".git")
    runner = Processes(environment)
    adopt_filter(runner, project, clone)
    add_files = git_origin.add_files(files, repository)
    _run(add_files, environment)
    question = git_origin.list_left_out(files, repository)
    left_out = _run(question, environment)
    if left_out:
        names = ", ".join(left_out.splitlines())
        raise ContextError(
            f"what is not committed inside of submodules cannot be taken along: {names}",
            hint="commit it there, then run the same command again",
        )
    commit = git_origin.commit_index(clone, WORKING_TREE)
    _run(commit, {**environment, **IDENTITY})
    for command in git_origin.check_out_again(clone):
        _run(command, environment)
    _run(git_origin.push_head(clone, remote), environment)


def add_commit(clone: Path, message: str, remote: str, environment: Mapping[str, str]) -> None:
    """Add a commit to the clone and its origin.

    It changes a file in the project's folder: a release may count no other commits.
    """
    with (clone / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n")
    committing = {**environment, **IDENTITY}
    _run(git_origin.commit_changes(clone, message), committing)
    _run(git_origin.push_head(clone, remote), environment)


def _find_top(folder: Path, environment: Mapping[str, str]) -> tuple[str, str]:
    """Give the top of the repository that ``folder`` is in, and the place in it."""
    answer = _ask(git_checkout.find_top(folder), environment)
    return git_checkout.read_top(answer)


def _run(command: Command, environment: Mapping[str, str]) -> str:
    return _ask(command, environment).out.strip()


def _ask(question: Command, environment: Mapping[str, str]) -> Answer:
    return Processes(environment)(question)
