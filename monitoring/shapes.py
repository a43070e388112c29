"""What the monitoring endpoints answer. Without a database every field is null."""

from ninja import Schema


class System(Schema):
    """The host."""

    memory_usage_percent: float | None = None
    memory_available_gb: float | None = None
    disk_usage_percent: float | None = None
    disk_free_gb: float | None = None


class Store(Schema):
    """The database."""

    status: str = "disconnected"
    connection_test: str = "failed"


class Environment(Schema):
    """How the service is set up; never a secret's value."""

    gemini_api_key: str
    log_level: str
    environment: str
    persistent_sessions_enabled: bool | None = None


class Conversations(Schema):
    """What is stored, and what is new."""

    total_sessions: int | None = None
    total_messages: int | None = None
    recent_sessions_24h: int | None = None
    recent_messages_24h: int | None = None
    average_messages_per_session: float | None = None


class Errors(Schema):
    """The turns that failed, of the last hour and of the last 24 hours."""

    error_rate_per_hour: int | None = None
    error_rate_percent: float | None = None
    samples: int | None = None
    status: str | None = None
    total_errors_24h: int | None = None
    by_code: dict[str, int] | None = None


class Check(Schema):
    """One health check: what it found, and where the runbook says what to do."""

    status: str
    sentence: str
    took_ms: float
    runbook: str


class Detailed(Schema):
    """`/health/detailed`."""

    status: str
    timestamp: str
    version: str
    system: System = System()
    database: Store = Store()
    environment: Environment
    sessions: Conversations = Conversations()
    errors: Errors = Errors()
    checks: dict[str, Check]


class CachePerformance(Schema):
    """How the last hour's persistent turns found their session."""

    cache_hit_ratio: float | None = None
    cache_hits: int | None = None
    cache_misses: int | None = None
    samples: int | None = None
    status: str | None = None


class MemoryUsage(Schema):
    """What the live sessions take."""

    current_usage_mb: float | None = None
    max_sessions: int | None = None
    usage_percentage: float | None = None
    status: str | None = None


class CleanupOperations(Schema):
    """The job that closes expired sessions."""

    last_cleanup: str | None = None
    cleanup_interval_seconds: int | None = None
    oldest_session_age_hours: float | None = None
    status: str | None = None


class SessionRecovery(Schema):
    """Sessions that were brought back from the database."""

    total_recoveries: int | None = None
    recovery_rate: float | None = None
    samples: int | None = None
    status: str | None = None


class SessionManagement(Schema):
    """The live sessions of all processes."""

    active_sessions: int | None = None
    total_sessions_created: int | None = None
    sessions_expired: int | None = None
    sessions_recovered: int | None = None
    cache_performance: CachePerformance = CachePerformance()
    memory_usage: MemoryUsage = MemoryUsage()
    cleanup_operations: CleanupOperations = CleanupOperations()
    session_recovery: SessionRecovery = SessionRecovery()


class Creation(Schema):
    """How long new sessions took to get, on average."""

    avg_creation_time_ms: float | None = None
    total_operations: int | None = None


class Recovery(Schema):
    """How long recoveries took, on average."""

    avg_recovery_time_ms: float | None = None
    total_operations: int | None = None


class TokenSaving(Schema):
    """The treatment's billed input tokens per turn against control's, measured."""

    estimated_reduction_percent: float | None = None
    samples: int | None = None
    status: str | None = None


class TokenUsage(TokenSaving):
    """The same, also under its honest name."""

    measured_reduction_percent: float | None = None


class PerformanceMetrics(Schema):
    """What sessions cost and save."""

    session_creation: Creation = Creation()
    session_recovery: Recovery = Recovery()
    token_usage: TokenUsage = TokenUsage()


class Sessions(Schema):
    """`/health/sessions`."""

    status: str
    timestamp: str
    database_status: str
    session_management: SessionManagement = SessionManagement()
    performance_metrics: PerformanceMetrics = PerformanceMetrics()


class CreationSpread(Creation):
    """How long new sessions took to get."""

    min_creation_time_ms: float | None = None
    max_creation_time_ms: float | None = None


class RecoverySpread(Recovery):
    """How long recoveries took."""

    min_recovery_time_ms: float | None = None
    max_recovery_time_ms: float | None = None


class TimeSaving(Schema):
    """How much sooner the treatment's answers are complete, measured."""

    estimated_improvement_percent: float | None = None
    samples: int | None = None
    status: str | None = None


class PerformanceSummary(Schema):
    """What sessions take and save."""

    session_creation: CreationSpread = CreationSpread()
    session_recovery: RecoverySpread = RecoverySpread()
    token_usage: TokenSaving = TokenSaving()
    response_times: TimeSaving = TimeSaving()


class Improvements(Schema):
    """The two savings once more, under their old names."""

    token_usage_reduction_percent: float | None = None
    response_time_improvement_percent: float | None = None


class Performance(Schema):
    """`/health/sessions/performance`."""

    timestamp: str
    database_status: str
    performance_summary: PerformanceSummary = PerformanceSummary()
    optimization_insights: list[str] = []
    estimated_improvements: Improvements = Improvements()


class SessionMetrics(Conversations):
    """What is stored, what is new, and what was done in the last 24 hours."""

    session_operations_count: int | None = None
    message_operations_count: int | None = None
    last_activity: str | None = None


class Operation(Schema):
    """How long an operation took, in the last 24 hours."""

    count: int | None = None
    avg_duration_ms: float | None = None
    min_duration_ms: float | None = None
    max_duration_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class Operations(Schema):
    """The operations that are timed."""

    send_message: Operation = Operation()
    create_session: Operation = Operation()


class Analytics(Schema):
    """`/sessions/analytics`."""

    timestamp: str
    database_status: str
    session_metrics: SessionMetrics = SessionMetrics()
    operation_performance: Operations = Operations()
