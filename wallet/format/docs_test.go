package format

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheDocumentationShowsWhatIsWritten(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats.md")
	require.NoError(t, err)
	for form, whole := range documents(t) {
		require.Contains(t, string(text), "\n```"+language(form)+"\n"+string(whole)+"```\n", "the example of %s", form)
	}
	for _, kind := range []string{KindParams, KindBatch, kindError} {
		require.Contains(t, string(text), "`"+kind+"`")
	}
	for _, form := range []string{ParamsForm, JSON} {
		p, err := fields(documents(t)[form])
		require.NoError(t, err)
		for _, path := range p.order {
			if !strings.Contains(path, "[") {
				name := path[strings.LastIndexByte(path, '.')+1:]
				require.Contains(t, string(text), "`"+name+"`", "the description of %s", path)
			}
		}
	}
}

func language(form string) string {
	switch form {
	case ParamsForm, JSON:
		return "json"
	}
	return "text"
}
