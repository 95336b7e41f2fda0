// Package schemas has the JSON schemas (draft 2020-12) of what pmctl writes for
// programs: a file for each kind of document, and common.json with what they share.
package schemas

import "embed"

// Files are the schemas, pmctl.KIND.json.
//
//go:embed *.json
var Files embed.FS
