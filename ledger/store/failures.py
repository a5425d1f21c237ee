"""What a store can fail with, whichever database it is (数据库故障)."""

from ledger.errors import BooksDamaged, Unavailable


class StoreUnavailable(Unavailable):
    """The database does not answer (数据库不可用)."""

    code = "store_unavailable"
    zh = "数据库 {store} 不可用：{reason}。"
    en = "The database {store} is not available: {reason}."
    hint_zh = "请确认数据库已启动、地址与权限正确，然后重试。"
    hint_en = "See that the database is up and that address and rights are right, then try again."


class StoreBusy(Unavailable):
    """Another process has held the lock of writers for too long (数据库写锁等待超时)."""

    code = "store_busy"
    zh = "数据库 {store} 的写锁被其他进程占用超过 {seconds} 秒，本次提交未写入任何内容。"
    en = "Another process has kept {store} locked for more than {seconds} seconds; nothing was written."
    hint_zh = "请稍后重试；若反复出现，请查明哪个进程停在写入中（PostgreSQL：pg_locks、pg_stat_activity）。"
    hint_en = (
        "Try again later; if it happens again, find the process that stands still while writing"
        " (PostgreSQL: pg_locks, pg_stat_activity)."
    )


class SchemaMissing(Unavailable):
    """The tables are missing or of another version (缺少数据库结构)."""

    code = "schema_missing"
    zh = "数据库 {store} 尚未建立本版本所需的结构。"
    en = "The database {store} lacks the schema that this version needs."
    hint_zh = "请运行 medfund db upgrade。"
    hint_en = "Run `medfund db upgrade`."


class StoreFull(Unavailable):
    """No space is left to write (磁盘已满)."""

    code = "store_full"
    zh = "数据库 {store} 的磁盘空间不足，本次提交未写入任何内容。"
    en = "The disk of {store} is full; nothing of this commit was written."
    hint_zh = "请腾出空间后重试，已登记的内容不受影响。"
    hint_en = "Free some space and try again; what was recorded before is whole."


class StoreReadOnly(Unavailable):
    """The database may only be read here (数据库只读)."""

    code = "store_read_only"
    zh = "数据库 {store} 只读，不能写入。"
    en = "The database {store} can only be read here."
    hint_zh = "请检查文件与目录的写权限，或连接主库。"
    hint_en = "Check the rights of file and folder, or connect to the primary server."


class NotAStore(Unavailable):
    """What the URL names is no database of ours (不是账簿数据库)."""

    code = "not_a_store"
    zh = "{store} 不是可用的数据库：{reason}。"
    en = "{store} is no database that can be used: {reason}."
    hint_zh = "请核对地址：sqlite:///文件 或 postgresql://用户@主机/库名。"
    hint_en = "Check the address: sqlite:///FILE or postgresql://USER@HOST/DATABASE."


class StoreMalformed(BooksDamaged):
    """The database itself reports that its file is damaged (数据库文件损坏)."""

    code = "store_malformed"
    zh = "数据库 {store} 报告文件损坏：{reason}。"
    en = "The database {store} reports that its file is damaged: {reason}."
    hint_zh = "请停止写入，从备份恢复后运行 medfund verify。"
    hint_en = "Stop writing, restore a backup and run `medfund verify`."


class LogOverrun(BooksDamaged):
    """The log holds events that no seal covers: somebody wrote past the store (日志被绕写)."""

    code = "log_overrun"
    zh = "日志在封记 {seal} 之后的位置 {position} 有未经封记的事件。"
    en = "Position {position}, after seal {seal}, holds an event that no seal covers."
    hint_zh = "有人绕过系统写入日志；请停止记账并运行 medfund verify。"
    hint_en = "Somebody wrote to the log around the system: stop, and run `medfund verify`."


class GuardChanged(BooksDamaged):
    """A guard row says what the store never wrote: somebody wrote past it (账期状态被改动)."""

    code = "guard_changed"
    zh = "表 {table} 的内容被系统之外改动。"
    en = "The table {table} was changed from outside."
    hint_zh = "有人绕过系统修改了账簿；请停止记账并运行 medfund verify。"
    hint_en = "Somebody changed the books around the system: stop, and run `medfund verify`."
