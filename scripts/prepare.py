"""Make the checkout's virtual environment, `.venv`, or bring it up to date.

Run by `prepare.sh` and `prepare.bat` with a Python of 3.11 or newer:

    python prepare.py [EXTRA]           install what the program needs, and the EXTRA's packages
    python prepare.py --check [EXTRA]   exit 0 if that is done, 1 if not; run by .venv's own Python

The program itself stays where it is: a `.pth` file leads from `.venv` to the checkout, so that a
changed checkout needs no second installation. What pip installs is read from `pyproject.toml`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PROJECT = CHECKOUT / "pyproject.toml"
ENVIRONMENT = CHECKOUT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
UNFINISHED = ENVIRONMENT / "unfinished"
"""There from before the environment is made until it is whole."""


class PreparationError(Exception):
    """Why there is no environment.

    There is nothing yet that knows the reader's language: it is told in English and Chinese.

    Args:
        what: what went wrong.
        fix: what mends it.
        chinese: both in Chinese.
    """

    def __init__(self, what: str, fix: str, chinese: tuple[str, str]) -> None:
        super().__init__(
            f"Error: {what}\nTo mend it: {fix}\n错误：{chinese[0]}\n解决办法：{chinese[1]}"
        )


def main(words: list[str]) -> None:
    """Do what the words of the command line say; exit 1 and say why if it can't be done."""
    check = words[:1] == ["--check"]
    extra = "".join(words[check:])
    if check:
        sys.exit(0 if _is_ready(extra) else 1)
    try:
        _prepare(extra)
    except PreparationError as error:
        sys.exit(str(error))
    except OSError as error:
        said = PreparationError(
            f"{ENVIRONMENT} can't be made: {error}",
            "have the checkout in a folder that you can write to",
            (f"无法建立 {ENVIRONMENT}：{error}", "把代码放到您可以写入的文件夹中，再运行一次"),
        )
        sys.exit(str(said))


def _is_ready(extra: str) -> bool:
    try:
        return _marker(extra).read_bytes() == _state() and not UNFINISHED.exists()
    except OSError:
        return False


def _marker(extra: str) -> Path:
    return ENVIRONMENT / f"ready{extra and '-'}{extra}"


def _state() -> bytes:
    """What an environment was made for: another Python or other requirements need other packages.

    Python keeps packages in a folder of its minor release, so that a system's update leaves an
    environment without any.
    """
    return b"# Python %d.%d\n" % sys.version_info[:2] + PROJECT.read_bytes()


def _prepare(extra: str) -> None:
    for said in (
        f"Setting up {ENVIRONMENT}: this is needed once.",
        f"正在准备 {ENVIRONMENT}：只需要这一次，请稍候。",
    ):
        print(said, file=sys.stderr, flush=True)
    if UNFINISHED.exists() or not _works():
        _make()
    _install(extra)
    _lead_to_checkout()
    UNFINISHED.unlink(missing_ok=True)
    for done in {"", extra}:
        _marker(done).write_bytes(_state())


def _works() -> bool:
    """Whether there is an environment of this very release of Python, with a pip."""
    test = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return PYTHON.exists() and _run(PYTHON, "-I", "-c", test, quiet=True)


def _make() -> None:
    import importlib.util  # noqa: PLC0415 - a check, which every run begins with, needs none
    import shutil  # noqa: PLC0415

    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise PreparationError(
            f"{sys.executable} has no ensurepip, and so can't make a virtual environment.",
            f"on Debian and Ubuntu, apt-get install {package}; elsewhere, install Python"
            " from https://www.python.org/downloads/. Then run this again",
            (
                f"{sys.executable} 没有 ensurepip，无法建立虚拟环境。",
                f"Debian 和 Ubuntu：apt-get install {package}；其他系统：安装 Python。再运行一次",
            ),
        )
    import venv  # noqa: PLC0415 - comes and goes with ensurepip

    if ENVIRONMENT.exists():
        shutil.rmtree(ENVIRONMENT)
    ENVIRONMENT.mkdir()
    UNFINISHED.touch()
    try:
        venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(ENVIRONMENT)
    except subprocess.CalledProcessError as error:
        raise PreparationError(
            f"{sys.executable} could not install pip in {ENVIRONMENT}: {error}",
            "repair that Python or install another, then run this again",
            (
                f"{sys.executable} 无法在 {ENVIRONMENT} 中安装 pip：{error}",
                "修复这个 Python 或安装另一个，然后再运行一次",
            ),
        ) from None


def _install(extra: str) -> None:
    import tomllib  # noqa: PLC0415 - a check does not need it

    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    packages = project["dependencies"]
    if extra:
        packages += project["optional-dependencies"][extra]
    pip = (PYTHON, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input")
    if not _run(*pip, "install", "--quiet", *packages):
        raise PreparationError(
            f"pip could not install the packages that are needed: {', '.join(packages)}."
            " Its own messages are above.",
            "connect to the Internet (behind a proxy, set HTTPS_PROXY; with a mirror of PyPI,"
            " set PIP_INDEX_URL), then run this again",
            (
                f"pip 无法安装所需的软件包：{', '.join(packages)}。它自己的信息在上面。",
                "连接到互联网（有代理时设置 HTTPS_PROXY，用镜像时设置 PIP_INDEX_URL），再运行一次",
            ),
        )


def _lead_to_checkout() -> None:
    import sysconfig  # noqa: PLC0415 - a check does not need it

    base = {"base": str(ENVIRONMENT), "platbase": str(ENVIRONMENT)}
    packages = sysconfig.get_path("purelib", "venv", base)
    # A relative path is ASCII, whatever the folders above are called: before 3.13, Python reads
    # the file in the code page of the system.
    (Path(packages) / "checkout.pth").write_text(
        os.path.relpath(CHECKOUT, packages) + "\n", encoding="ascii"
    )


def _run(*argv: str | Path, quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else sys.stderr
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


if __name__ == "__main__":
    main(sys.argv[1:])
