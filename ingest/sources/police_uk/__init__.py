"""police.uk (Home Office): what is this publisher's own."""
