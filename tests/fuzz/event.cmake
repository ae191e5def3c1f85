relance_fuzz(event event_read.c LINK rules_event)
relance_fuzz(rule_file event_rules.c LINK rules_json)
