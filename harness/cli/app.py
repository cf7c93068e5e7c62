"""The commands and their options, as `--help` shows them; each body lives in a module of its own and is loaded when it is called.

Why it exists  option names are stable: scripts rely on them, and they are the keys of plan.toml.
Relies on      typer for parsing; nothing heavy at import, so that `splitbrain check` on a small file answers at once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.errors import EXIT_USAGE, SplitbrainError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Find out, with proof, whether a distributed system keeps its consistency promises when the world breaks.\n\n"
    "Start with `splitbrain demo`; then `splitbrain run etcd --nemesis partition`; then your own: `splitbrain run ./mydb.py`.\n\n"
    "Exit codes: 0 valid, 1 invalid, 2 unknown, 130 interrupted, 254 usage or set-up, 255 internal.",
)
Json = Annotated[bool, typer.Option("--json", help="Print results as JSON, one object a line; nothing else goes to stdout.")]
Store = Annotated[str, typer.Option("--store", help="Folder of stored runs.")]


@app.command()
def run(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="A target's name (see `list`), FILE.py[:Class], or a PLAN.toml.")],
    cluster: Annotated[str, typer.Option(help="Where the nodes are: local or docker.")] = "local",
    nodes: Annotated[int, typer.Option(help="How many nodes.")] = 3,
    workload: Annotated[str, typer.Option(help="What the clients do and what is judged; default: the target's first.")] = "",
    nemesis: Annotated[str, typer.Option(help="Faults to draw from the seed: partition,kill,pause,restart,clock.")] = "",
    schedule: Annotated[str, typer.Option(help="A schedule file (TOML), or a run's schedule.toml to replay it.")] = "",
    interval: Annotated[float, typer.Option(help="Seconds between faults of one kind, on average.")] = 10.0,
    rate: Annotated[float, typer.Option(help="Client operations a second, in all.")] = 200.0,
    concurrency: Annotated[str, typer.Option(help="Client threads; 2n means twice the nodes.")] = "2n",
    time_limit: Annotated[float, typer.Option(help="Seconds of the fault phase.")] = 30.0,
    healthy: Annotated[float, typer.Option(help="Seconds of the healthy phase before it.")] = 5.0,
    op_timeout: Annotated[float, typer.Option(help="Seconds that one operation may take.")] = 2.0,
    seed: Annotated[int, typer.Option(help="Everything random derives from it; 0: drawn and printed.")] = 0,
    consistency: Annotated[
        str, typer.Option(help="The consistency model expected, if weaker than linearizable or strict-serializable.")
    ] = "",
    option: Annotated[list[str], typer.Option("-o", "--option", help="A target's option, key=value; see `show TARGET`.")] = [],  # noqa: B006
    workload_option: Annotated[list[str], typer.Option("-w", help="A workload's option, key=value.")] = [],  # noqa: B006
    compose: Annotated[str, typer.Option(help="Attach to this compose project; it stays as it is.")] = "",
    service: Annotated[list[str], typer.Option(help="With --compose: only these services.")] = [],  # noqa: B006
    label: Annotated[str, typer.Option(help="Attach to the containers with this label, key=value.")] = "",
    containers: Annotated[str, typer.Option(help="Attach to these containers, a,b,c.")] = "",
    store: Store = "store",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the cluster up afterwards, healed.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Fetch and build nothing; say what is missing.")] = False,
    require_faults: Annotated[
        bool, typer.Option("--require-faults", help="A fault that cannot be made here makes the verdict unknown.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds that each checker may take.")] = 120.0,
    memory: Annotated[int, typer.Option(help="MB that each checker may take.")] = 4096,
    quiet: Annotated[bool, typer.Option("--quiet", help="No live view; only the verdict.")] = False,
    json: Json = False,
) -> int:
    """One run: bring the cluster up, drive clients, break things, heal, judge, report."""
    given = {name: value for name, value in locals().items() if name != "context"}
    from harness.cli.run_command import run_command

    return run_command(given, _explicit(context, given))


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(help="Runs' folders or history files.", show_default=False)],
    as_: Annotated[str, typer.Option("--as", help="Workload or model (`list models`), or your own: FILE.py:Class.")] = "",
    format: Annotated[str, typer.Option(help="The file's format; auto: by its content. `list formats` shows them.")] = "auto",
    consistency: Annotated[str, typer.Option(help="The consistency model to judge by.")] = "",
    failed_cas: Annotated[str, typer.Option(help="nothing: a failed cas observed nothing; observes: it read another value.")] = "nothing",
    option: Annotated[list[str], typer.Option("-o", "--option", help="A checker's option, key=value; see `list checkers`.")] = [],  # noqa: B006
    require_faults: Annotated[
        bool, typer.Option("--require-faults", help="A fault that could not be made makes the verdict unknown.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds that each checker may take.")] = 120.0,
    memory: Annotated[int, typer.Option(help="MB that each checker may take.")] = 4096,
    json: Json = False,
) -> int:
    """Judge stored runs or history files of other tools; several are judged one after the other, the worst decides the exit code."""
    from harness.case import Budget, Question
    from harness.cli.check_command import check_command
    from harness.cli.options import key_json

    question = Question(as_, format, consistency, Budget(timeout, memory), failed_cas, require_faults, key_json(option))
    return check_command(paths, question, json)


@app.command()
def explain(
    path: Annotated[Path, typer.Argument(help="A run's folder or a history file.", show_default=False)],
    minimize: Annotated[bool, typer.Option("--minimize", help="Leave out all that is not needed to show the anomaly.")] = False,
    out: Annotated[Path | None, typer.Option(help="With --minimize: the file to write; default: NAME.minimal.jsonl here.")] = None,
    anomaly: Annotated[str, typer.Option(help="Only anomalies of this type; default: all, with --minimize the first.")] = "",
    most: Annotated[int, typer.Option(help="How many anomalies to tell in full.")] = 3,
    patience: Annotated[float, typer.Option(help="With --minimize: seconds after which it gives what it has by then.")] = 120.0,
    as_: Annotated[str, typer.Option("--as", help="As for check.")] = "",
    format: Annotated[str, typer.Option(help="As for check.")] = "auto",
    consistency: Annotated[str, typer.Option(help="As for check.")] = "",
    failed_cas: Annotated[str, typer.Option(help="As for check.")] = "nothing",
    option: Annotated[list[str], typer.Option("-o", "--option", help="As for check.")] = [],  # noqa: B006
    timeout: Annotated[float, typer.Option(help="Seconds that each checker may take, each time.")] = 120.0,
    memory: Annotated[int, typer.Option(help="MB that each checker may take.")] = 4096,
) -> int:
    """An invalid history explained: each anomaly as a sentence, a picture in time, its operations, and what proves each step."""
    from harness.case import Budget, Question
    from harness.cli.explain_command import explain_command
    from harness.cli.options import key_json

    question = Question(as_, format, consistency, Budget(timeout, memory), failed_cas, False, key_json(option))
    return explain_command(path, question, minimize, out, anomaly, most, patience)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A run's folder or a history file of any format.", show_default=False)],
    to: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write: .jsonl (ours) or .edn (Jepsen's).", show_default=False)],
    format: Annotated[str, typer.Option(help="The format of IN; auto: by its content.")] = "auto",
    to_format: Annotated[str, typer.Option("--to", help="jsonl or edn; nothing: by OUT's ending.")] = "",
) -> int:
    """Write a history of any format as our JSON lines or as Jepsen's EDN."""
    from harness.cli.convert_command import convert_command

    return convert_command(source, to, format, to_format)


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="targets, workloads, nemeses, clusters, checkers, models, formats, runs; nothing: all.")] = "",
    store: Store = "store",
) -> int:
    """What there is: targets, workloads, nemeses, checkers, models, stored runs."""
    from harness.cli.list_command import list_command

    return list_command(what, store)


@app.command()
def show(
    what: Annotated[str, typer.Argument(help="A run's folder or name (`latest`), or a target's or workload's name.")],
    store: Store = "store",
    json: Json = False,
) -> int:
    """A stored run's verdict again, or a target's and workload's options. A run's exit code is its verdict's."""
    from harness.cli.show_command import show_command

    return show_command(what, store, json)


@app.command()
def doctor() -> int:
    """What this machine can do and what not, with the way to mend it."""
    from harness.cli.doctor_command import doctor_command

    return doctor_command()


@app.command()
def prepare(
    target: Annotated[str, typer.Argument(help="A target's name or FILE.py[:Class].")] = "",
    cluster: Annotated[str, typer.Option(help="local or docker.")] = "local",
    option: Annotated[list[str], typer.Option("-o", "--option", help="A target's option, key=value (a version, say).")] = [],  # noqa: B006
    kernels: Annotated[bool, typer.Option("--kernels", help="Compile the checkers' kernels for this machine.")] = False,
) -> int:
    """Fetch and build what a target needs into the cache, so that `run --offline` works."""
    from harness.cli.prepare_command import prepare_command

    return prepare_command(target, cluster, option, kernels)


@app.command()
def heal(
    everyone: Annotated[bool, typer.Option("--all", help="Also what belongs to runs whose owner lives.")] = False,
) -> int:
    """Remove what killed runs left: cuts, pauses, skews, containers, networks, processes. Exit 0: nothing is left."""
    from harness.cli.heal_command import heal_command

    return heal_command(everyone)


@app.command()
def demo(
    store: Store = "store",
    quiet: Annotated[bool, typer.Option("--quiet", help="No live view.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, other faults.")] = 7,
) -> int:
    """The five-minute tour: a store that loses writes, caught; the same store with a quorum protocol, valid. Exit 0: both as promised."""
    from harness.cli.demo_command import demo_command

    return demo_command(store, quiet, seed)


def _explicit(context: typer.Context, given: dict[str, Any]) -> set[str]:
    """Names of the parameters that were really given on the command line (a plan file keeps the others)."""
    sources = {name: context.get_parameter_source(name) for name in given}
    return {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


def main(arguments: list[str]) -> int:
    """Parse, call, give the exit code."""
    usage_error: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        code = app(args=arguments, prog_name="splitbrain", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except SplitbrainError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except usage_error as error:
        return _wrong_use(error)
    except typer.Exit as end:
        return end.exit_code
    except typer.Abort:
        return 130


def _wrong_use(error: Any) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        return 0
    command = error.ctx.command_path if getattr(error, "ctx", None) is not None else "splitbrain"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    end = "" if message.rstrip(".").endswith("?") else "."
    print(f"{message.rstrip('.')}{end}\nWay out: {command} --help shows the options.", file=sys.stderr)
    return EXIT_USAGE
