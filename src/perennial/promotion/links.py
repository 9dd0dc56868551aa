"""Links of a run: its report, its MLflow run and the version that it registered, as Markdown."""

from __future__ import annotations

from perennial.files.project import Project
from perennial.results.receipt import Registration, ReportPage
from perennial.tracking.store import IN_ML_MODE, WEB_PORT, open_store, web_address


def link_results(project: Project, name: str, registration: Registration, report: ReportPage) -> str:
    """One line of Markdown. Pages of a local MLflow store open while `perennial ui` runs, and the line says so."""
    shared = web_address(project)
    address = shared or f"http://127.0.0.1:{WEB_PORT}"
    experiment = open_store(project).client.get_run(registration.run_id).info.experiment_id
    links = [
        f"[report]({(project.root / report.path).as_uri()}) (`perennial open {name}`)",
        f"[MLflow run]({address}/#/experiments/{experiment}/runs/{registration.run_id}?{IN_ML_MODE})",
        f"[model {name}, version {registration.version}]({address}/#/models/{name}/versions/{registration.version})",
    ]
    return " · ".join(links) + ("" if shared else " (MLflow's pages open while `perennial ui` runs)")
