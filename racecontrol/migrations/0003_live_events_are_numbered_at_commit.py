"""Live events get their number when they commit, so that numbers never appear out of order.

A plain sequence numbers at insert: a page that has seen 11 would never learn of 10, committed a
moment later. The trigger is deferred to the commit and takes turns by an advisory lock.
"""

from django.db import migrations

MAKE = """
CREATE FUNCTION racecontrol_send_live_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('racecontrol_live', 0));
    UPDATE racecontrol_liveevent
       SET id = nextval(pg_get_serial_sequence('racecontrol_liveevent', 'id'))
     WHERE id = NEW.id
 RETURNING id INTO number;
    IF number IS NOT NULL THEN
        -- A notice holds less than 8000 bytes; listeners read longer bodies from the table.
        PERFORM pg_notify('racecontrol_live', CASE WHEN octet_length(NEW.body) < 7000
            THEN number || '|' || NEW.topic || '|' || NEW.body ELSE number::text END);
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER send_at_commit AFTER INSERT ON racecontrol_liveevent
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION racecontrol_send_live_event();
"""

DROP = """
DROP TRIGGER send_at_commit ON racecontrol_liveevent;
DROP FUNCTION racecontrol_send_live_event();
"""


class Migration(migrations.Migration):
    dependencies = [("racecontrol", "0002_tables_the_database_wants")]
    operations = [migrations.RunSQL(MAKE, DROP)]
