"""The number of assets and checks in the web UI."""

from wkmp_assets.model.phases import ENTRY
from wkmp_assets.orchestration.build import build_definitions


def assets_of_import() -> int:
    """Count the assets that `Materialize all` of the group `import` materializes."""
    graph = build_definitions().resolve_asset_graph()
    return sum(graph.get(key).group_name == "import" for key in graph.materializable_asset_keys)


def checks_of_entry() -> int:
    """Count the checks of `library_entry`."""
    graph = build_definitions().resolve_asset_graph()
    return sum(key.asset_key.to_user_string() == ENTRY for key in graph.asset_check_keys)
