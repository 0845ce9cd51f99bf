#!/bin/sh
# Mails how the observatory's computers are; rts2-httpd runs it when NODES.level changes, as rts2-events.xml says, with the value's name
# and the time. It is run at the start of rts2-httpd, too.
#
# rts2-httpd can mail by itself (<email> in its events), by /usr/bin/mail alone: RTS2 0.9.5 crashes when [xmlrpcd] mail names another program.

: "${TO:=observer@example.com}"            # who is told
: "${MAILER:=/usr/sbin/sendmail -t}"       # takes a mail with its headers
: "${RTS2_SERVER:=localhost}"              # where centrald is
export RTS2_SERVER

level=$(rts2c get NODES.level) || exit 1
{
    echo "To: $TO"
    echo "Subject: computers of the observatory: $level"
    echo
    rts2c get NODES.worst NODES.nodes_error NODES.nodes_silent NODES.mutes NODES.limits
} | $MAILER
