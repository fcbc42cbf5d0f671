"""Durable background work: the portal's lifespan and `lk worker` start a `Worker`."""

from lk_portal.jobs.worker import Worker

__all__ = ["Worker"]
