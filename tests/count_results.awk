# Reads CTest's LastTest.log and prints "PASSED FAILED SKIPPED". A test that ends with the harness's closing line
# counts what that line says, any other test counts as one.

function settle() {
    if (name == "")
        return
    if (outcome == "skipped" && !has_line)
        skipped++
    else if (outcome == "passed" && !has_line)
        passed++
    else if (!has_line)
        failed++
    else {
        passed += line_passed
        failed += line_failed
        skipped += line_skipped
        # A suite that failed by its status (a sanitizer's report, say) though every test in it passed.
        if (outcome != "passed" && line_failed == 0)
            failed++
    }
    name = ""
}

{ sub(/\r$/, "") }
/^[0-9]+\/[0-9]+ Test: / {
    settle()
    name = $3
    has_line = 0
    outcome = "failed"
}
/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ {
    has_line = 1
    line_passed = $1
    line_failed = $3
    line_skipped = $5
}
/^Test Passed\.$/ { outcome = "passed" }
/^Test Skipped\.$/ { outcome = "skipped" }
END {
    settle()
    printf "%d %d %d\n", passed, failed, skipped
}
