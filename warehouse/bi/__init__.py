"""What a BI tool is given to begin with: the narrow views, their keys and their measures, from dbt's manifest; and Superset, run with them."""

from warehouse.bi.semantic_model import SemanticModel, read
from warehouse.bi.superset import write as write_superset
from warehouse.bi.tmdl import write as write_tmdl

WRITERS = {"superset": write_superset, "tmdl": write_tmdl}

__all__ = ["WRITERS", "SemanticModel", "read"]
