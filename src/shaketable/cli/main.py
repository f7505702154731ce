"""The entry point: run a verb, turn errors into one sentence and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence

from shaketable.cli.ends import INTERRUPTED, WRONG, Interrupted, sentence
from shaketable.records import printable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``shaketable`` with command-line arguments and return its exit code.

    Parameters
    ----------
    arguments
        Without the program's name; those of the process by default.

    Returns
    -------
    int
        0: done, nothing unstable. 1: something unstable or a limit exceeded. 2: the plan, the input
        or a check is wrong. 3: inconclusive. 130: interrupted by Ctrl-C.

    Examples
    --------
    >>> main(["--version"])
    shaketable 0.1.0
    0
    """
    _wait_briefly()
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            code = _run([argument for argument in given if argument != "--debug"])
        except Interrupted as error:
            return _fail(str(error), INTERRUPTED)
        except KeyboardInterrupt:
            return _fail("Interrupted; nothing was left half done.", INTERRUPTED)
        except SystemExit as error:  # the command itself never ends so: something a plan names does
            return _fail(
                f"Expected networks and modules that return, got sys.exit({error.code!r}) from one; "
                "remove the call from what the plan names.",
                WRONG,
            )
        except BrokenPipeError:  # the reader of a pipe, for example head, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as error:
            if debug:
                traceback.print_exc()
            return _fail(sentence(error), WRONG)
    for message in dict.fromkeys(" ".join(str(entry.message).split()) for entry in caught):
        sys.stderr.write(f"Note: {printable(message)}\n")
    return code


def _wait_briefly() -> None:
    """Let threads that wait for each other give their processor away soon; before torch is loaded.

    By default they keep it for milliseconds, in case the others are done at once. Where another program
    needs the processor, those are the others' milliseconds, and a run takes many times as long.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _run(arguments: list[str]) -> int:
    from shaketable.cli.app import app

    result = app(args=arguments, standalone_mode=False, prog_name="shaketable")
    return result if isinstance(result, int) else 0


def _fail(message: str, code: int) -> int:
    sys.stderr.write(printable(" ".join(message.split())) + "\n")
    return code
