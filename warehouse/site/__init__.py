"""The site: a strategic needs assessment for every borough and for London, as static pages of one release, in an open and a partner edition."""

from warehouse.site.areas import EDITIONS
from warehouse.site.building import Built, build
from warehouse.site.packs import FORMATS, write_pack
from warehouse.site.serving import LOOPBACK, serve

__all__ = ["EDITIONS", "FORMATS", "LOOPBACK", "Built", "build", "serve", "write_pack"]
