"""Imported by the conftests of directories that run pytest in their own process.

pytester forgets what such a run imported. A second import makes new classes, which the old ones' `except` clauses do
not catch, and PyYAML's C part does not survive it at all. What is imported here stays, which also makes runs faster.
"""

from __future__ import annotations

import aiohttp  # noqa: F401
import openai
import yaml  # noqa: F401

import pytest_promptgate.core.plan
import pytest_promptgate.files.offers
import pytest_promptgate.files.run_file
import pytest_promptgate.files.suites
import pytest_promptgate.files.templates
import pytest_promptgate.models.batch
import pytest_promptgate.models.offers
import pytest_promptgate.models.openai
import pytest_promptgate.models.store
import pytest_promptgate.models.store_files
import pytest_promptgate.pytest_changed
import pytest_promptgate.pytest_history
import pytest_promptgate.pytest_hooks
import pytest_promptgate.pytest_session
import pytest_promptgate.reports.html
import pytest_promptgate.reports.markdown
import pytest_promptgate.scorers.offers
import pytest_promptgate.workflows.evaluate  # noqa: F401

# Its transport is imported by the first client.
openai.OpenAI(api_key="none", base_url="http://127.0.0.1:9/v1").close()
