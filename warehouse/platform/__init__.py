"""What everything else stands on: settings, the home's folders, the database, its roles and its schema."""
