"""Everything in model.toml, and the settings of the environment."""

from core.config.github import GitHubContext
from core.config.metrics import METRICS, Metric, Task, is_share
from core.config.model import Class, Columns, Data, ModelConfig
from core.config.names import name_problem
from core.config.settings import MODEL_NAME, Settings, check_config, load_config, model_names, parse_config
from core.config.triggers import DriftTrigger

__all__ = [
    "METRICS",
    "MODEL_NAME",
    "Class",
    "Columns",
    "Data",
    "DriftTrigger",
    "GitHubContext",
    "Metric",
    "ModelConfig",
    "Settings",
    "Task",
    "check_config",
    "is_share",
    "load_config",
    "model_names",
    "name_problem",
    "parse_config",
]
