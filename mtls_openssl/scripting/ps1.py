"""A recipe as a script for Windows PowerShell 5.1 and PowerShell 7."""

from __future__ import annotations

from mtls_openssl.errors import Exit
from mtls_openssl.scripting.quoting import powershell, powershell_literal, printable
from mtls_openssl.scripting.recipe import Line, Recipe, Written, words
from mtls_openssl.steps import Command, Join

_SETTINGS = {"OPENSSL_CONF": "openssl.cnf", "OPENSSL_WIN32_UTF8": "1", "LC_ALL": "C"}

# Windows PowerShell does not escape the quotes within an argument, nor a backslash at the end of
# a quoted one; PowerShell 7 does, by default. The same on both: the command line is made here.
_PROGRAM = r"""
$%s = @($found)[0].Path
function %s {
  $quoted = foreach ($argument in $args) {
    '"' + (([string]$argument -replace '(\\*)"', '$1$1\"') -replace '(\\+)$', '$1$1') + '"'
  }
  $start = New-Object System.Diagnostics.ProcessStartInfo
  $start.FileName = $%s
  $start.Arguments = $quoted -join ' '
  $start.WorkingDirectory = $folder
  $start.UseShellExecute = $false
  $process = [System.Diagnostics.Process]::Start($start)
  $process.WaitForExit()
  $global:LASTEXITCODE = $process.ExitCode
}
"""

_NO_OPENSSL = Exit.NO_OPENSSL.value
_STOPPED = "Stopped with exit code ${status}: what was made so far is still here."
_STOP_IF_FAILED = [
    f'if ($LASTEXITCODE -ne 0) {{ $status = $LASTEXITCODE; throw "{_STOPPED}" }}',
    "",
]


def ps1(recipe: Recipe) -> str:
    """The script, with a byte order mark, which 5.1 knows UTF-8 by, and CRLF line ends.

    Raises:
        SettingRefusedError: an argument can't stand on one line.
    """
    changed = [*_SETTINGS, *recipe.secrets]
    lines = [
        "$status = 1",
        "$before = @{}",
        f"foreach ($name in {_list(changed)}) {{",
        "  $before[$name] = [Environment]::GetEnvironmentVariable($name)",
        "}",
        "try {",
        "$folder = (Get-Location -PSProvider FileSystem).ProviderPath",
        "$utf8 = New-Object System.Text.UTF8Encoding $false",
        *(f"$env:{name} = '{value}'" for name, value in _SETTINGS.items()),
        _say(recipe.title),
        *_nothing_is_lost(recipe.files),
        *_all_is_there(recipe.needs),
    ]
    for name in recipe.programs:
        lines += _find(name)
    for name in recipe.secrets:
        lines += _ask(name)
    for line in recipe.lines:
        lines += _lines_of(line)
    lines += [
        f"[IO.File]::Delete([IO.Path]::Combine($folder, {powershell_literal(printable(name))}))"
        for name in recipe.temporary
    ]
    lines += [
        _say("Done."),
        "$status = 0",
        "} catch {",
        "  [Console]::Error.WriteLine($_.Exception.Message)",
        "} finally {",
        "  foreach ($name in $before.Keys) {",
        "    if ($null -ne $before[$name]) { Set-Item -Path Env:$name -Value $before[$name] }",
        "    elseif (Test-Path -Path Env:$name) { Remove-Item -Path Env:$name }",
        "  }",
        "}",
        "exit $status",
        "",
    ]
    return "\ufeff" + "\r\n".join(lines)


def _say(text: str) -> str:
    return f"Write-Host {powershell_literal(printable(text))}"


def _list(texts: list[str] | tuple[str, ...]) -> str:
    return "@(" + ", ".join(powershell_literal(printable(text)) for text in texts) + ")"


def _find(program: str) -> list[str]:
    command = f"Get-Command -Name {program} -CommandType Application"
    return [
        f"$found = {command} -ErrorAction SilentlyContinue",
        f"if (-not $found) {{ $status = {_NO_OPENSSL}; throw '{program} is not on PATH.' }}",
        *(_PROGRAM.strip() % (program, program, program)).splitlines(),
        "",
    ]


def _nothing_is_lost(files: tuple[str, ...]) -> list[str]:
    return [
        f"foreach ($name in {_list(files)}) {{",
        "  if (Test-Path -LiteralPath $name) {",
        f"    $status = {Exit.FOLDER_UNAVAILABLE.value}",
        '    throw "$name is here already: nothing was done."',
        "  }",
        "}",
    ]


def _all_is_there(files: tuple[str, ...]) -> list[str]:
    if not files:
        return []
    return [
        f"foreach ($name in {_list(files)}) {{",
        "  if (-not (Test-Path -LiteralPath $name)) {",
        f"    $status = {Exit.FOLDER_UNAVAILABLE.value}",
        '    throw "$name is not here: copy it from the set; nothing was done."',
        "  }",
        "}",
    ]


def _ask(name: str) -> list[str]:
    def read(prompt: str) -> str:
        secure = f"(Read-Host -AsSecureString -Prompt '{prompt}')"
        return f"(New-Object System.Net.NetworkCredential '', {secure}).Password"

    return [
        f"if (-not $env:{name}) {{",
        f"  $env:{name} = {read(f'{name} (not shown)')}",
        f"  $again = {read('Once more')}",
        f"  if (-not $again -or $again -cne $env:{name}) {{",
        f"    $status = {Exit.SETTING_REFUSED.value}",
        "    throw 'It was empty, or not the same twice: nothing was done.'",
        "  }",
        "  $again = $null",
        "}",
        "",
    ]


def _write(line: Written) -> list[str]:
    content = ",\r\n".join(powershell_literal(text) for text in line.content.split("\n"))
    name = powershell_literal(printable(line.name))
    return [
        "$content = @(",
        content,
        ")",
        f"$file = [IO.Path]::Combine($folder, {name})",
        '[IO.File]::WriteAllText($file, ($content -join "`n"), $utf8)',
        "",
    ]


def _run(line: Command) -> list[str]:
    return [
        _say(line.purpose),
        " ".join(powershell(word) for word in words(line)),
        *_STOP_IF_FAILED,
    ]


def _join(line: Join) -> list[str]:
    name = powershell_literal(printable(line.name))
    part = "[IO.File]::ReadAllText([IO.Path]::Combine($folder, $_))"
    return [
        _say(line.purpose),
        f"$text = {_list(line.parts)} | ForEach-Object {{ {part} }}",
        f"[IO.File]::WriteAllText([IO.Path]::Combine($folder, {name}), ($text -join ''), $utf8)",
        "",
    ]


def _lines_of(line: Line) -> list[str]:
    if isinstance(line, Written):
        return _write(line)
    return _join(line) if isinstance(line, Join) else _run(line)
