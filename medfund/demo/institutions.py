"""The sample area's designated institutions (定点医药机构): 30 hospitals and clinics, 10 pharmacies."""

from dataclasses import dataclass

AREA_CODE, AREA_NAME = "330604", "上虞区"


@dataclass(frozen=True, slots=True)
class Institution:
    """One designated institution; a pharmacy (定点零售药店) has no level."""

    code: str
    name: str
    level: int | None
    weight: int

    @property
    def is_pharmacy(self) -> bool:
        return self.level is None


_HOSPITALS = (
    ("第一人民医院", 3, 60),
    ("中医医院", 3, 34),
    ("第二人民医院", 2, 24),
    ("第三人民医院", 2, 20),
    ("妇幼保健院", 2, 16),
    ("康复医院", 2, 8),
    ("精神卫生中心", 2, 6),
    ("沥海医院", 2, 12),
)
_TOWNS = (
    "百官",
    "曹娥",
    "东关",
    "道墟",
    "小越",
    "梁湖",
    "崧厦",
    "盖北",
    "谢塘",
    "驿亭",
    "丰惠",
    "永和",
    "上浦",
    "汤浦",
    "章镇",
    "长塘",
    "陈溪",
    "下管",
    "丁宅",
    "岭南",
    "岭南东",
    "杭州湾",
)
_PHARMACIES = (
    "百姓",
    "惠民",
    "同仁",
    "震元",
    "老百姓",
    "华通",
    "天一",
    "康泰",
    "益寿",
    "广济",
)


def _all() -> tuple[Institution, ...]:
    hospitals = [(f"{AREA_NAME}{name}", level, weight) for name, level, weight in _HOSPITALS]
    centres = [(f"{town}社区卫生服务中心", 1, 5 + 3 * (n % 3)) for n, town in enumerate(_TOWNS)]
    shops = [(f"{name}大药房", 6 + 2 * (n % 4)) for n, name in enumerate(_PHARMACIES)]
    return tuple(
        Institution(f"H{AREA_CODE}{number:05d}", name, level, weight)
        for number, (name, level, weight) in enumerate(hospitals + centres, start=1)
    ) + tuple(
        Institution(f"P{AREA_CODE}{number:05d}", name, None, weight)
        for number, (name, weight) in enumerate(shops, start=1)
    )


INSTITUTIONS = _all()
HOSPITALS = tuple(one for one in INSTITUTIONS if not one.is_pharmacy)
PHARMACIES = tuple(one for one in INSTITUTIONS if one.is_pharmacy)
