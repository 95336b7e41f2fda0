package db

import (
	"fmt"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
)

// noRights is the ErrAccess of a role that lacks rights on a store's tables. usage reports whether it has USAGE on
// the schema pmctl; tables are those that it may not read or write.
func noRights(store, role string, usage bool, tables []string) error {
	what := "tables " + strings.Join(tables, ", ")
	if !usage {
		what = "the schema pmctl"
	}
	quoted := `"` + strings.ReplaceAll(role, `"`, `""`) + `"`
	return hint.With(fmt.Errorf("%w: role %q has no right to use %s of %s", ErrAccess, role, what, store),
		"as the owner of the schema run: GRANT USAGE ON SCHEMA pmctl TO %[1]s; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pmctl TO %[1]s", quoted)
}
