"""Every setting, read from the environment."""

import re
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from monitoring import logs
from oracle_site import databases, env, local_model, notices, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env.load(BASE_DIR / ".env")

# --- Where and how it runs ---------------------------------------------------------
ENVIRONMENT = env.choice(
    "ENVIRONMENT", default="development", of=("development", "production")
)
IS_PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.flag("DEBUG", default=False)
DATA_DIR = Path(env.text("ORACLE_DATA_DIR", str(BASE_DIR / "var"))).expanduser()
DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
BACKUP_DIR = Path(env.text("BACKUP_DIR", str(DATA_DIR / "backups"))).expanduser()
VERSION = re.search(
    r"^## v(\S+)", (BASE_DIR / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
)[1]  # type: ignore[index]
SECRET_KEY = secret_key.find(DATA_DIR, is_production=IS_PRODUCTION)
ALLOWED_HOSTS = env.words(
    "ALLOWED_HOSTS", "" if IS_PRODUCTION else "localhost,127.0.0.1,[::1]"
)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
USE_HTTPS = env.flag("USE_HTTPS", default=IS_PRODUCTION)

# --- Django ------------------------------------------------------------------------
INSTALLED_APPS = [
    "oracle_site",
    "chat",
    "flags",
    "monitoring",
    "ninja",
    "waffle",
    "django_celery_beat",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "monitoring.middleware.Traffic",
    "monitoring.middleware.RequestId",
    "oracle_site.middleware.ApiAnswers",
    "oracle_site.middleware.Slash",
    "oracle_site.middleware.Security",
    "oracle_site.middleware.Common",
    "oracle_site.middleware.Csp",
    "oracle_site.middleware.Sessions",
    "oracle_site.middleware.Csrf",
    "oracle_site.middleware.Authentication",
    "oracle_site.middleware.Messages",
    "oracle_site.middleware.Clickjacking",
]
# Django looks for its own three by name and does not see that ours are the same.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
ROOT_URLCONF = "oracle_site.urls"
ASGI_APPLICATION = "oracle_site.asgi.application"
APPEND_SLASH = False
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
WAFFLE_FLAG_MODEL = "flags.Flag"
# What waffle caches per process goes stale in the others, so nothing is cached; the
# control page takes the place of its admin, which keeps no old values and no reasons.
WAFFLE_CACHE_NAME = "waffle"
WAFFLE_ENABLE_ADMIN_PAGES = False
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "waffle": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
}

# --- Database ----------------------------------------------------------------------
# Never ATOMIC_REQUESTS.
DATABASES = {"default": databases.configured(env.text("DATABASE_URL"), DATA_DIR)}

# --- Pages and static files ----------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "oracle_site.storage.StaticStorage"},
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = USE_HTTPS
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=False)
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", default=0, maximum=10**9)
CSRF_FAILURE_VIEW = "chat.failures.csrf_failure"

# --- Who may come in -----------------------------------------------------------------
ORACLE_ACCESS = env.choice("ORACLE_ACCESS", default="open", of=("open", "login"))
ORACLE_LOCAL_OWNER = env.flag("ORACLE_LOCAL_OWNER", default=not IS_PRODUCTION)
TRUSTED_PROXIES = env.words("TRUSTED_PROXIES")
# In production a proxy on this host may pass on anybody's calls without saying so.
MONITORING_TRUSTED_ADDRESSES = env.networks(
    "MONITORING_TRUSTED_ADDRESSES", "none" if IS_PRODUCTION else "loopback"
)

# --- Limits ------------------------------------------------------------------------
MAX_MESSAGE_CHARS = env.integer("MAX_MESSAGE_CHARS", default=32_000, minimum=1)
MAX_ANSWER_CHARS = env.integer("MAX_ANSWER_CHARS", default=400_000, minimum=1000)
MAX_BODY_BYTES = env.integer("MAX_BODY_BYTES", default=524_288, minimum=1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
RATE_LIMIT_MESSAGES_PER_MINUTE = env.integer(
    "RATE_LIMIT_MESSAGES_PER_MINUTE", default=60, minimum=1
)
RATE_LIMIT_ADDRESS_PER_MINUTE = env.integer(
    "RATE_LIMIT_ADDRESS_PER_MINUTE", default=300, minimum=1
)
RATE_LIMIT_LOGINS_PER_MINUTE = env.integer(
    "RATE_LIMIT_LOGINS_PER_MINUTE", default=10, minimum=1
)
MAX_RUNNING_GENERATIONS = env.integer(
    "MAX_RUNNING_GENERATIONS", default=100, minimum=1, maximum=10_000
)
MAX_STREAMS = env.integer("MAX_STREAMS", default=500, minimum=1, maximum=100_000)

# --- The model -----------------------------------------------------------------------
GEMINI_API_KEY = env.secret("GEMINI_API_KEY")
GEMINI_BASE_URL = env.text("GEMINI_BASE_URL")
if not (GEMINI_API_KEY or GEMINI_BASE_URL):
    GEMINI_BASE_URL = local_model.address(DATA_DIR)
    GEMINI_API_KEY = "local" if GEMINI_BASE_URL else ""
GEMINI_API_VERSION = env.text("GEMINI_API_VERSION")
GEMINI_MODEL = env.text("GEMINI_MODEL", "gemini-3.8-flash")
GEMINI_MODELS = list(
    dict.fromkeys(
        [
            GEMINI_MODEL,
            *env.words(
                "GEMINI_MODELS",
                "gemini-3.8-flash,gemini-3.5-flash-lite,gemini-3.1-pro-preview",
            ),
        ]
    )
)
GEMINI_THINKING_LEVEL = env.choice(
    "GEMINI_THINKING_LEVEL", default="LOW", of=("LOW", "MEDIUM", "HIGH", "NONE")
)
GEMINI_FIRST_TEXT_DEADLINE_S = env.seconds("GEMINI_FIRST_TEXT_DEADLINE_S", default=30)
GEMINI_IDLE_DEADLINE_S = env.seconds("GEMINI_IDLE_DEADLINE_S", default=20)
GEMINI_TOTAL_DEADLINE_S = env.seconds("GEMINI_TOTAL_DEADLINE_S", default=300)
GEMINI_MAX_RETRIES = env.integer("GEMINI_MAX_RETRIES", default=2, maximum=10)
GEMINI_MAX_CONNECTIONS = env.integer(
    "GEMINI_MAX_CONNECTIONS", default=200, minimum=1, maximum=10_000
)
GEMINI_BREAKER_FAILURES = env.integer(
    "GEMINI_BREAKER_FAILURES", default=5, minimum=1, maximum=1000
)
GEMINI_BREAKER_OPEN_S = env.seconds("GEMINI_BREAKER_OPEN_S", default=10)
GEMINI_STREAM_DECODER = env.choice(
    "GEMINI_STREAM_DECODER", default="raw", of=("raw", "public")
)

# --- Notifications -------------------------------------------------------------------
# Who is told, and where what they are told leads; without any of it the log has it.
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", default=False)
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=not EMAIL_USE_SSL)
EMAIL_PORT = env.integer("EMAIL_PORT", default=587, minimum=1, maximum=65_535)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_HOST_PASSWORD")
EMAIL_TIMEOUT = env.integer("EMAIL_TIMEOUT", default=5, minimum=1, maximum=10)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.mail("EMAIL_FROM", "oracle-chat@localhost")
ALERT_EMAIL_TO = env.mails("ALERT_EMAIL_TO")
REPORT_EMAIL_TO = env.mails("REPORT_EMAIL_TO")
REPORT_EMAIL_PERIODS = env.choices(
    "REPORT_EMAIL_PERIODS", default="day", of=("hour", "day")
)
ALERT_SLACK_URL = env.url("ALERT_SLACK_URL")
ALERT_WEBHOOK_URL = env.url("ALERT_WEBHOOK_URL")
ALERT_WEBHOOK_SECRET = env.secret("ALERT_WEBHOOK_SECRET")
ALERT_APPRISE_URLS = env.urls("ALERT_APPRISE_URLS")
HEARTBEAT_URL = env.url("HEARTBEAT_URL")
SITE_URL = env.url("SITE_URL").rstrip("/")
notices.check_mail(
    host=EMAIL_HOST,
    to=ALERT_EMAIL_TO + REPORT_EMAIL_TO,
    uses_tls=EMAIL_USE_TLS,
    uses_ssl=EMAIL_USE_SSL,
)
notices.check_webhook(url=ALERT_WEBHOOK_URL, secret=ALERT_WEBHOOK_SECRET)

# --- Logging -------------------------------------------------------------------------
# Until the database can be asked; from then on the runtime setting holds.
LOG_LEVEL = env.choice("LOG_LEVEL", default="INFO", of=logs.LEVELS)
SECRETS = [
    *(SECRET_KEY, GEMINI_API_KEY, EMAIL_HOST_PASSWORD, ALERT_WEBHOOK_SECRET),
    *notices.secrets(
        *(ALERT_SLACK_URL, ALERT_WEBHOOK_URL, HEARTBEAT_URL, *ALERT_APPRISE_URLS)
    ),
]
LOGGING = logs.config(level=LOG_LEVEL, is_json=IS_PRODUCTION, secrets=SECRETS)

# --- Running answers -----------------------------------------------------------------
FLUSH_INTERVAL_S = env.seconds("FLUSH_INTERVAL_S", default=0.2, minimum=0.01)
HEARTBEAT_INTERVAL_S = env.seconds("HEARTBEAT_INTERVAL_S", default=2, minimum=0.1)
# Longer than a database keeps a heartbeat waiting (20 s, oracle_site.databases): or the
# answers of living processes were given up when it comes free.
HEARTBEAT_STALE_S = env.seconds("HEARTBEAT_STALE_S", default=30, minimum=1)
POLL_INTERVAL_S = env.seconds("POLL_INTERVAL_S", default=0.15, minimum=0.01)
SSE_COMMENT_INTERVAL_S = env.seconds("SSE_COMMENT_INTERVAL_S", default=15, minimum=1)
GRACEFUL_TIMEOUT_S = env.integer("GRACEFUL_TIMEOUT_S", default=45, minimum=6)
DRAIN_S = GRACEFUL_TIMEOUT_S - 5
STATELESS_HISTORY_MESSAGES = 20

# --- Jobs ----------------------------------------------------------------------------
# The embedded queue is this database; CELERY_BROKER_URL=redis://… is for production.
CELERY_BROKER_URL = env.secret("CELERY_BROKER_URL") or "djangodb://"
# A queue that does not answer must not hold up who sends to it: one try and one more.
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {}
if CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 7200,  # longer than any job, or it is started again
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 1,
        "socket_timeout": 0.6,
        "retry_on_timeout": False,
    }
CELERY_BEAT_SCHEDULER = "oracle_site.schedule:LeasedScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None
CELERY_WORKER_LOST_WAIT = 2  # seconds for a killed process's last words
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kB
