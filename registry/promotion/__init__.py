"""Promotion: from production.json to Production in MLflow."""

from registry.promotion import apply, checks, manifest, plan
from registry.promotion.checks import Check
from registry.promotion.manifest import Manifest
from registry.promotion.plan import Plan, RegistryState

__all__ = ["Check", "Manifest", "Plan", "RegistryState", "apply", "checks", "manifest", "plan"]
