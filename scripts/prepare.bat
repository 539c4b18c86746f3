:: Called by the scripts beside it: prepare.bat SCRIPT [EXTRA]
:: Leaves in PYTHON the Python of the checkout's .venv, which is made on first use and has the
:: packages of that EXTRA of pyproject.toml too; ends with 1 if it can't be, and says why.
:: Leaves CLICKED defined if SCRIPT was double-clicked, so that its window is about to close.

:: Explorer starts  cmd.exe /c ""SCRIPT" "  and a shell leaves out that space. A file name has no "?".
set "CLICKED="
if not defined CMDCMDLINE goto :look
set "COMMAND_LINE=%CMDCMDLINE:"=?%"
if /i "%COMMAND_LINE:*/c =%"=="??%~f1? ?" set "CLICKED=1"

:look
:: Else a python.bat or py.exe of the current folder would be run.
set "NoDefaultCurrentDirectoryInExePath=1"
set "PYTHON=%~dp0..\.venv\Scripts\python.exe"
if not exist "%PYTHON%" goto :set_up
"%PYTHON%" -I -S "%~dp0prepare.py" --check %~2 2>nul
if "%ERRORLEVEL%"=="0" exit /b 0

:set_up
set "FOUND="
call :try py -3
call :try python
call :try python3
if not defined FOUND goto :no_python
:: Who has no Python has nothing yet that knows the language: both, and the console able to show it.
chcp 65001 >nul
:: "call", since it may be a batch file, as pyenv's is.
call %FOUND% -I "%~dp0prepare.py" %~2
exit /b %ERRORLEVEL%

:try
if defined FOUND exit /b 0
call %* -c "import sys; sys.exit(sys.version_info < (3, 11))" <nul >nul 2>&1
if "%ERRORLEVEL%"=="0" set "FOUND=%*"
exit /b 0

:no_python
>&2 echo Error: there is no Python 3.11 or newer on the PATH.
>&2 echo To mend it, install one, open a new window, then run this again:
>&2 echo   winget install Python.Python.3.13
>&2 echo   or choco install python
>&2 echo   or https://www.python.org/downloads/
>&2 echo 错误：PATH 中没有 Python 3.11 或更高版本。
>&2 echo 解决办法：用上面三种方法之一安装，打开新窗口，再运行一次。
exit /b 1
