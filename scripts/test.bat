@echo off
:: Runs the tests: test.bat [ARGUMENT OF PYTEST]...
:: What they need is set up first, but for openssl itself: "choco install openssl".
setlocal EnableExtensions DisableDelayedExpansion
set "ERRORLEVEL="
call "%~dp0prepare.bat" "%~f0" test
set "CODE=%ERRORLEVEL%"
cd /d "%~dp0.."
if "%CODE%"=="0" "%PYTHON%" -m pytest %*
if "%CODE%"=="0" set "CODE=%ERRORLEVEL%"
if defined CLICKED pause
exit /b %CODE%
