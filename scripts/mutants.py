"""Mutates a copy of the modules in mutants.toml and runs the tests for each mutant.

python scripts/mutants.py [MODULE ...]

Cosmic Ray creates the mutants. This script selects its operators, adds an operator that removes
statements, and runs each mutant in a fork of a process that has already imported the libraries.
"""

import ast
import contextlib
import difflib
import gc
import importlib
import multiprocessing
import os
import shutil
import signal
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

ROOT: Final = Path(__file__).parent.parent
COPY: Final = ROOT / ".venv" / "mutants" / "copy"
PACKAGE: Final = "conversations_client"
# Cosmic Ray's other operators find nothing more.
OPERATORS: Final = (
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceBreakWithContinue"),
    *("ReplaceContinueWithBreak", "ExceptionReplacer", "NumberReplacer", "RemoveDecorator"),
    *("ZeroIterationForLoop", "ReplaceUnaryOperator_Delete_Not", "ReplaceUnaryOperator_USub_UAdd"),
    *(
        f"ReplaceBinaryOperator_{pair}"
        for pair in ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Mod_Mul")
    ),
    *(f"ReplaceBinaryOperator_{pair}" for pair in ("Pow_Mul", "BitOr_BitAnd", "BitAnd_BitOr")),
    *(
        f"ReplaceComparisonOperator_{pair}"
        for pair in ("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt")
    ),
    *(f"ReplaceComparisonOperator_{pair}" for pair in ("Is_IsNot", "IsNot_Is")),
)
OPTIONS: Final = (
    *("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"),
    # Some of these libraries have pytest plugins.
    *("-W", "ignore:Module already imported so cannot be rewritten"),
)
# Imported once, before the forks.
LIBRARIES: Final = ("attrs", "cattrs", "httpx", "hypothesis", "pytest", "respx", "trio", "trustme")

Position = tuple[int, int]


@attrs.frozen
class Mutant:
    """A changed module.

    Attributes:
        code: The whole module.
        removed: The lines that the change removes, without their indentation.
        added: The lines that it adds.
    """

    code: str
    removed: str
    added: str


class RemoveStatement:
    """An operator of Cosmic Ray that replaces a call, an assignment or a `raise` with `pass`.

    It doesn't remove assignments to plain names, because the next line would always fail.
    """

    def mutation_positions(self, node: Any) -> Iterator[tuple[Position, Position]]:  # noqa: ANN401
        """Yield the positions of a node that it can change."""
        if node.parent is None or node.parent.type != "simple_stmt":
            return
        is_assigned = node.type == "expr_stmt" and node.children[0].type != "name"
        if is_assigned or node.type in {"raise_stmt", "atom_expr", "await", "del_stmt"}:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, _index: int) -> Any:  # noqa: ANN401
        """Return the replacement of a node."""
        first = node.get_first_leaf()
        return type(first)("pass", first.start_pos, prefix=first.prefix)


def mutants(code: str) -> Iterator[Mutant]:
    """Yield each mutant of a module once."""
    plugins: Any = importlib.import_module("cosmic_ray.plugins")
    mutating: Any = importlib.import_module("cosmic_ray.mutating")
    trees: Any = importlib.import_module("cosmic_ray.ast")
    skipped = list(_not_executed(ast.parse(code)))
    lines = code.splitlines()
    seen = {code}
    operators = [plugins.get_operator(f"core/{name}")() for name in OPERATORS]
    for operator in (*operators, RemoveStatement()):
        positions = [
            position
            for node in trees.ast_nodes(trees.get_ast(code))
            for position in operator.mutation_positions(node)
        ]
        for occurrence, (start, _end) in enumerate(positions):
            is_separator = lines[start[0] - 1][start[1] :].startswith("*,")
            if is_separator or any(first <= start < last for first, last in skipped):
                continue
            changed = mutating.mutate_code(code, operator, occurrence)
            if changed is not None and changed not in seen:
                seen.add(changed)
                yield Mutant(changed, *_difference(code, changed))


def _not_executed(tree: ast.AST) -> Iterator[tuple[Position, Position]]:
    """Yield the positions of code for type checkers, and of `kw_only` arguments."""
    for node in ast.walk(tree):
        parts: list[ast.expr | ast.If | ast.keyword | None] = []
        match node:
            case ast.arg() | ast.AnnAssign():
                parts = [node.annotation]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                parts = [node.returns]
                if any(ast.unparse(each) == "overload" for each in node.decorator_list):
                    yield (node.decorator_list[0].lineno, 0), (node.end_lineno or 0, 1000)
            case ast.keyword(arg="kw_only"):
                parts = [node]
            case ast.If() if ast.unparse(node.test) == "TYPE_CHECKING":
                parts = [node]
            case _:
                pass
        for part in parts:
            if part is None:
                continue
            end = (part.end_lineno or 0, part.end_col_offset or 0)
            yield (part.lineno, part.col_offset), end


def _difference(old: str, new: str) -> tuple[str, str]:
    lines = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    removed, added = (
        "\n".join(line[2:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return removed, added


class Module:
    """A module of the copy, and the tests that must detect its mutants."""

    def __init__(self, name: str, tests: list[str]) -> None:
        self._path = COPY / PACKAGE / name
        self._code = self._path.read_text()
        self._stat = self._path.stat()
        self._tests = tests
        self._limit = 240.0

    def mutants(self) -> Iterator[Mutant]:
        """Yield its mutants."""
        return mutants(self._code)

    def prepare(self) -> bool:
        """Run and time the tests without a change; return whether they pass."""
        self._run(writes_bytecode=True)
        start = time.monotonic()
        has_passed = self._run()
        self._limit = 10 + 5 * (time.monotonic() - start)
        return has_passed

    def survives(self, mutant: Mutant) -> bool:
        """Return whether the tests pass despite the change."""
        self._path.write_text(mutant.code)
        # A different time, so that Python doesn't use the bytecode of a different version.
        os.utime(self._path, (0, 0))
        try:
            return self._run()
        finally:
            self._path.write_text(self._code)
            os.utime(self._path, ns=(self._stat.st_atime_ns, self._stat.st_mtime_ns))

    def _run(self, *, writes_bytecode: bool = False) -> bool:
        fork = multiprocessing.get_context("fork")
        process = fork.Process(target=_run_tests, args=(self._tests, writes_bytecode))
        process.start()
        process.join(self._limit)
        # Also kills the processes that it started.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join(timeout=60)
        return process.exitcode == 0


def _run_tests(tests: list[str], writes_bytecode: bool) -> None:  # noqa: FBT001 - arguments of a process
    import pytest

    os.setsid()
    sys.dont_write_bytecode = not writes_bytecode
    if not writes_bytecode:
        # A process that a test starts would leave bytecode behind, and the next mutant may have the
        # same size.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    log = os.open(COPY / "tests.log", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os._exit(pytest.main([*OPTIONS, *tests]))


def check(name: str, tests: list[str], equivalent: list[dict[str, str]]) -> bool:
    """Run and report every mutant of a module; return whether all are killed or listed."""
    module = Module(name, tests)
    if not module.prepare():
        print(f"{name}: its tests fail without a change, see {COPY}/tests.log")
        return False
    listed = {(each["line"], each["mutant"]) for each in equivalent}
    survivors: list[Mutant] = []
    total = 0
    for mutant in module.mutants():
        total += 1
        if module.survives(mutant):
            survivors.append(mutant)
    kinds = {(mutant.removed, mutant.added) for mutant in survivors}
    unlisted = [each for each in survivors if (each.removed, each.added) not in listed]
    print(
        f"{name}: {total} mutants, {total - len(survivors)} killed,"
        f" {len(survivors) - len(unlisted)} listed, {len(unlisted)} survived",
        flush=True,
    )
    for each in unlisted:
        print(f"    - {each.removed}\n    + {each.added}", flush=True)
    for line, _mutant in sorted(listed - kinds):
        print(f"    Listed in mutants.toml, but killed or gone: {line}", flush=True)
    return not unlisted and listed <= kinds


def _copy_checkout() -> None:
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(ROOT, COPY, ignore=shutil.ignore_patterns(".*", "__pycache__"), symlinks=True)
    os.chdir(COPY)
    sys.path.insert(0, str(COPY))


def main() -> int:
    """Check the named modules, or all of them; return 1 if an unlisted mutant survives."""
    settings = tomllib.loads((ROOT / "scripts" / "mutants.toml").read_text())
    tests: dict[str, list[str]] = settings["tests"]
    names = sys.argv[1:] or list(tests)
    if unknown := set(names) - set(tests):
        print(f"Not in mutants.toml: {', '.join(sorted(unknown))}.")
        return 2
    _copy_checkout()
    for library in LIBRARIES:
        importlib.import_module(library)
    gc.freeze()
    results = [
        check(name, tests[name], [e for e in settings.get("equivalent", []) if e["module"] == name])
        for name in names
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
