@echo off
:: Makes a CA, a server's and a client's certificate, and client.p12, in the current folder:
::   generate_certs.bat [OPTION]...
:: The options are those of "python -m mtls_openssl all"; one that is given wins over the value
:: below. This file is UTF-8; a percent sign in a value is written twice.
setlocal EnableExtensions DisableDelayedExpansion
set "ERRORLEVEL="
for /f "tokens=2 delims=:." %%c in ('chcp') do set "CODE_PAGE=%%c"
chcp 65001 >nul

:: --- Configuration ---
set "COUNTRY=CN"
set "STATE=Beijing"
set "CITY=Beijing"
set "ORG=MyOrganization"
set "DOMAIN=your_domain.com"
set "CERT_DAYS=365"
set "KEY_SIZE=2048"

:: The values go by the environment, which takes every character as it is; an option wins over it.
set "MTLS_COUNTRY=%COUNTRY%"
set "MTLS_STATE=%STATE%"
set "MTLS_CITY=%CITY%"
set "MTLS_ORG=%ORG%"
set "MTLS_DOMAIN=%DOMAIN%"
set "MTLS_CERT_DAYS=%CERT_DAYS%"
:: The size that a profile has by itself is left to it: modern makes keys of another kind.
if not "%KEY_SIZE%"=="2048" set "MTLS_KEY_SIZE=%KEY_SIZE%"
:: An emptied variable does not exist in cmd.exe, and what does not exist has a default.
set "LEFT_OUT="
if not defined COUNTRY set "LEFT_OUT=--country """
if not defined STATE set "LEFT_OUT=%LEFT_OUT% --state """
if not defined CITY set "LEFT_OUT=%LEFT_OUT% --city """
if not defined ORG set "LEFT_OUT=%LEFT_OUT% --org """
if not defined DOMAIN set "LEFT_OUT=%LEFT_OUT% --domain """
if not defined CERT_DAYS set "LEFT_OUT=%LEFT_OUT% --cert-days """

call "%~dp0prepare.bat" "%~f0"
set "CODE=%ERRORLEVEL%"
:: -P: a file in the current folder is never taken for a module of the program.
if "%CODE%"=="0" "%PYTHON%" -P -m mtls_openssl all %LEFT_OUT% %*
if "%CODE%"=="0" set "CODE=%ERRORLEVEL%"
if defined CLICKED pause
if defined CODE_PAGE chcp %CODE_PAGE% >nul
exit /b %CODE%
