"""Everything a person reads and decides: pull request, report, status site, issues and the hosts of pull requests."""
