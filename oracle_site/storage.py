"""Where collected static files are kept."""

from servestatic.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names with their content's hash, inside the scripts' imports too.

    Otherwise a browser could mix old and new modules after a deploy.
    """

    support_js_module_import_aggregation = True
