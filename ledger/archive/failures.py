"""What an archive can fail with (归档故障)."""

from ledger.errors import BooksDamaged, Conflict, Unavailable


class ArchiveDamaged(BooksDamaged):
    """The archive is not what its manifests say (归档损坏)."""

    code = "archive_damaged"
    zh = "归档 {folder} 受损：{reason_zh}。"
    en = "The archive {folder} is damaged: {reason_en}."
    hint_zh = "请运行 medfund archive --check 查明范围；归档可移走后由日志重新生成。"
    hint_en = (
        "Run `medfund archive --check`; an archive can be moved away and written anew from the log."
    )


class ArchiveForeign(BooksDamaged):
    """The archive does not belong to this log, or knows more of it than the log itself (归档与日志不符)."""

    code = "archive_foreign"
    zh = "归档 {folder} 至封记 {seal}（位置 {position}），与本账簿的日志不符。"
    en = "The archive {folder} reaches seal {seal} (position {position}), which is not this log's."
    hint_zh = "请核对 MEDFUND_ARCHIVE；若日志是从旧备份恢复或尾部被截去，请先保全归档再查明原因。"
    hint_en = (
        "Check MEDFUND_ARCHIVE; if the log was restored from an older backup or cut, keep the"
        " archive until it is known why."
    )


class ArchiveBehind(Unavailable):
    """The archive does not reach as far as is asked (归档未到所需位置)."""

    code = "archive_behind"
    zh = "归档 {folder} 只到日志位置 {covered}，需要到 {wanted}。"
    en = "The archive {folder} reaches position {covered} of the log, {wanted} is needed."
    hint_zh = "请运行 medfund archive。"
    hint_en = "Run `medfund archive`."


class ArchiveBusy(Conflict):
    """Another process is writing this archive (归档正在写入)."""

    code = "archive_busy"
    zh = "另一进程正在写入归档 {folder}。"
    en = "Another process is writing the archive {folder}."
    hint_zh = "请等其结束后重试；中断的归档会自动续写。"
    hint_en = "Wait for it and try again; an interrupted run is continued by the next one."


class ArchiveFull(Unavailable):
    """No space is left for the archive (归档磁盘已满)."""

    code = "archive_full"
    zh = "归档 {folder} 所在磁盘空间不足，已归档到位置 {covered}，其后未留下任何内容。"
    en = "The disk of the archive {folder} is full; it reaches position {covered}, nothing is half done."
    hint_zh = "请腾出空间后重试 medfund archive，将从该处续写。"
    hint_en = "Free some space and run `medfund archive` again; it goes on from there."


class ArchiveUnavailable(Unavailable):
    """The archive's folder cannot be read or written (归档目录不可用)."""

    code = "archive_unavailable"
    zh = "归档 {folder} 不能读写：{reason}。"
    en = "The archive {folder} cannot be read or written: {reason}."
    hint_zh = "请检查目录权限与挂载；位置由 MEDFUND_ARCHIVE 设置。"
    hint_en = "Check rights and mounts; MEDFUND_ARCHIVE says where it lies."


class LogNotArchivable(BooksDamaged):
    """What the log holds is not what its seals say: it is not archived (日志受损，拒绝归档)."""

    code = "log_not_archivable"
    zh = "日志位置 {position} 起的内容与封记 {seal} 不符，未予归档。"
    en = "From position {position} on the log is not what seal {seal} says; it was not archived."
    hint_zh = "请停止记账并运行 medfund verify。"
    hint_en = "Stop posting and run `medfund verify`."
