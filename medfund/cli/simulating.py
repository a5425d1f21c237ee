"""``simulate``: the deterministic simulator, in books of its own."""

from typing import Any

import click

from medfund.cli.app import Session, cli, pass_session
from medfund.simulation.many import simulate as play
from medfund.simulation.run import STEPS

_BOOKS_DAMAGED = 4
_SEEDS = 200


@cli.command(
    help="模拟:由种子决定时钟、次序、队列与故障,逐笔核对账簿不变式(只用自己的临时账簿)"
    " / clock, order, queue and crashes from a seed, every rule of the books checked"
    " after every commit; in temporary books of its own"
)
@click.option("--seeds", type=click.IntRange(min=1), help="种子个数 / how many seeds  [200]")
@click.option(
    "--seed", type=int, help="重放该种子并打印过程 / replay this seed and print its trace"
)
@click.option("--steps", type=click.IntRange(min=1), default=STEPS, show_default=True)
@click.option("--jobs", type=click.IntRange(min=1), help="并行进程数 / processes  [all processors]")
@pass_session
def simulate(
    session: Session, seeds: int | None, seed: int | None, steps: int, jobs: int | None
) -> None:
    """Play seeds; exit code 4 where a rule of the books broke."""
    first = 1 if seed is None else seed
    many = seeds or (_SEEDS if seed is None else 1)
    with session.output.progress(session.output.say("模拟", "simulating")) as progress:
        found = play(range(first, first + many), steps=steps, jobs=jobs, progress=progress)
    document = found.document(with_traces=many == 1)
    session.output.answer(document, lambda: _render(session, document))
    if not document["ok"]:
        session.exit_code = _BOOKS_DAMAGED


def _render(session: Session, document: dict[str, Any]) -> None:
    output = session.output
    for run in [*document["runs"], *document["failed"]]:
        for line in run["trace"]:
            output.line(line)
        output.line(f"{output.say('种子', 'seed')} {run['seed']}  {run['digest']}")
    output.table(
        [output.say("发生了什么", "what happened"), output.say("次数", "times")],
        [(name, str(times)) for name, times in document["happened"].items()],
        right=[1],
    )
    output.line(
        output.say(
            f"{document['seeds']} 个种子,{document['commits']} 次提交,{document['events']} 个事件;"
            f"摘要 {document['digest']}",
            f"{document['seeds']} seeds, {document['commits']} commits, {document['events']}"
            f" events; digest {document['digest']}",
        )
    )
    for run in document["failed"]:
        seed, step, broken = run["seed"], run["step"], run["broken"]
        again = f"medfund simulate --seed {seed} --steps {document['steps']}"
        zh = f"种子 {seed} 第 {step} 步违反:{broken}。重放:{again}"
        en = f"seed {seed}, step {step}, breaks: {broken}. Replay: {again}"
        output.line(output.say(zh, en), style="red")
    if document["ok"]:
        output.line(output.say("全部不变式成立。", "Every rule held."), style="green")
