#!/bin/sh
# Counts the mutants of a module that its tests have caught, from the reports of Surefire, and fails unless all were.
#   count-mutants.sh REPORTS MODULE      REPORTS is removed, so that no report is counted twice
# A test with the tag "mutant" is one wrong variant; it passes when the variant is caught. One that was skipped was not.
set -eu
reports=$1
module=$2

find "$reports" -name 'TEST-*.xml' -exec cat {} + 2>/dev/null | awk -v module="$module" '
    function attribute(name) {
        return match($0, " " name "=\"[0-9]+\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : 0
    }
    /<testsuite / {
        inside = 1
    }
    inside {
        lost = attribute("errors") + attribute("failures") + attribute("skipped")
        run += attribute("tests")
        survived += lost
        inside = !/>/
    }
    END {
        killed = run > survived ? run - survived : 0
        printf "mutants: %d killed, %d survived (%s)\n", killed, survived, module
        if (killed + survived == 0) {
            print "no mutant was run: do the tests of " module " still have the tag \"mutant\"?"
        }
        exit killed == 0 || survived > 0
    }' && status=0 || status=$?
rm -rf "$reports"
exit $status
