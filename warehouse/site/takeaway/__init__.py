"""Files of a pack that people take away: PDF/UA, XLSX and ODS, of the same pages as the site's."""
