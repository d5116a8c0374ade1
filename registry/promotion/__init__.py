"""Promotion: from production.json to Production in MLflow."""

from registry.promotion import apply, manifest, plan
from registry.promotion.manifest import Manifest
from registry.promotion.plan import RegistryState

__all__ = ["Manifest", "RegistryState", "apply", "manifest", "plan"]
