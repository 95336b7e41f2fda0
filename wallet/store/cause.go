package store

// CauseCode names why a store may lack records.
type CauseCode string

// The codes of causes.
const (
	CauseMachine  CauseCode = "machine"  // it was on another machine, or server
	CausePath     CauseCode = "path"     // it was at another path, or in another database
	CauseFile     CauseCode = "file"     // its file is another one
	CauseServer   CauseCode = "server"   // its server was restored, or a standby promoted
	CauseTables   CauseCode = "tables"   // its tables were created again
	CauseNoMark   CauseCode = "no_mark"  // the mark beside its file is missing
	CauseMark     CauseCode = "mark"     // the mark is another file, or cannot be read
	CauseGone     CauseCode = "gone"     // the store that was here is missing
	CauseOther    CauseCode = "other"    // another store replaced it
	CauseOlder    CauseCode = "older"    // it is an older copy
	CauseFork     CauseCode = "fork"     // it was an older copy, and was used since
	CauseImported CauseCode = "imported" // its ledger was imported
)

// Cause is why a store may lack records.
type Cause struct {
	Code CauseCode `json:"code"`
	// Was is the earlier place, for CausePath; "" where only the code is kept.
	Was string `json:"was,omitempty"`
}

var causeWords = map[CauseCode]string{
	CauseMachine:  "it was on another machine before",
	CausePath:     "it was at another place before",
	CauseFile:     "its file is a different one than before",
	CauseServer:   "its server was restored from a backup, or a standby was promoted",
	CauseTables:   "its tables were created again, as restoring a dump does",
	CauseNoMark:   "the mark beside it is missing",
	CauseMark:     "the mark beside it was replaced or changed",
	CauseGone:     "the store that was here before is missing",
	CauseOther:    "it was replaced by another store",
	CauseOlder:    "it was replaced by an older copy",
	CauseFork:     "it was replaced by an older copy, which has been used since",
	CauseImported: "its ledger was imported",
}

// String describes the cause in a clause about the store, such as "its file is missing".
func (c Cause) String() string {
	if c.Was != "" {
		return "it was at " + c.Was + " before"
	}
	if words := causeWords[c.Code]; words != "" {
		return words
	}
	return string(c.Code)
}
