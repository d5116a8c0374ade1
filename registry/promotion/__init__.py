"""Promotion: from production.json to Production in MLflow."""

from registry.promotion import apply, manifest, plan
from registry.promotion.manifest import Manifest
from registry.promotion.plan import Plan, RegistryState

__all__ = ["Manifest", "Plan", "RegistryState", "apply", "manifest", "plan"]
