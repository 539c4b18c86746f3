"""What looks after a set day by day, without anybody: renewal, and a fresh CRL.

`jobs` says what is run, `cron`, `tasks` (Windows) and `systemd` how each of them is told so, and
`installing` tells crontab or schtasks and reads it back.
"""

from mtls_openssl.schedule.jobs import Job, Plan, jobs

__all__ = ["Job", "Plan", "jobs"]
