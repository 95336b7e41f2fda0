package remote_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/runner"
)

const openAPIFile = "../../docs/signer-openapi.json"

type content map[string]struct{ Schema json.RawMessage }

// openAPI is the description of the HTTP API, with its schemas compiled on use.
type openAPI struct {
	Paths map[string]map[string]struct {
		RequestBody struct{ Content content }
		Responses   map[string]struct{ Content content }
	}
	compiler *jsonschema.Compiler
}

func readOpenAPI(t testing.TB) *openAPI {
	t.Helper()
	text, err := os.ReadFile(openAPIFile)
	require.NoError(t, err)
	api := &openAPI{compiler: jsonschema.NewCompiler()}
	require.NoError(t, json.Unmarshal(text, api))
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	require.NoError(t, api.compiler.AddResource("openapi.json", document))
	return api
}

// check holds a body to the schema at a place in the description, which names it from the root.
func (a *openAPI) check(place string, body []byte) error {
	schema, err := a.compiler.Compile("openapi.json#" + place)
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// exchange holds a request and its answer to the description.
func (a *openAPI) exchange(method, path string, asked []byte, status int, kind string, answered []byte) error {
	operation, ok := a.Paths[path][strings.ToLower(method)]
	if !ok && status == http.StatusMethodNotAllowed {
		return nil
	}
	response, ok := operation.Responses[fmt.Sprint(status)]
	if !ok {
		return fmt.Errorf("%s %s: status %d is not described", method, path, status)
	}
	place := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + strings.ToLower(method)
	if _, ok := response.Content[kind]; !ok {
		return fmt.Errorf("%s %s: the content type %q of status %d is not described", method, path, kind, status)
	}
	if err := a.check(fmt.Sprintf("%s/responses/%d/content/application~1json/schema", place, status), answered); err != nil {
		return err
	}
	if status != http.StatusOK || len(operation.RequestBody.Content) == 0 {
		return nil
	}
	return a.check(place+"/requestBody/content/application~1json/schema", asked)
}

// described holds every exchange of a handler to docs/signer-openapi.json.
func described(t testing.TB, handler http.Handler) http.Handler {
	t.Helper()
	api := readOpenAPI(t)
	var checking sync.Mutex // the compiler is for one goroutine
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		r.Body = io.NopCloser(bytes.NewReader(asked))
		recorded := httptest.NewRecorder()
		handler.ServeHTTP(recorded, r)
		for name, values := range recorded.Header() {
			rw.Header()[name] = values
		}
		rw.WriteHeader(recorded.Code)
		_, _ = rw.Write(recorded.Body.Bytes())
		checking.Lock()
		defer checking.Unlock()
		assert.NoError(t, api.exchange(r.Method, r.URL.Path, asked, recorded.Code, recorded.Header().Get("Content-Type"), recorded.Body.Bytes()), recorded.Body.String())
	})
}

// TestEveryRouteIsDescribed: the description has the routes of the handler, and no others.
func TestEveryRouteIsDescribed(t *testing.T) {
	source, err := os.ReadFile("server.go")
	require.NoError(t, err)
	routes := make(map[string]bool)
	for _, found := range regexp.MustCompile(`mux\.Handle\("([A-Z]+ /\S*)"`).FindAllStringSubmatch(string(source), -1) {
		routes[found[1]] = true
	}
	require.NotEmpty(t, routes)
	api := readOpenAPI(t)
	_, key := captured(t, "signer_errors_and_payments")
	w := newWorld(t, key, 100, identity.None{}, nil, new(runner.Directory))
	for path, operations := range api.Paths {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			_, is := operations[strings.ToLower(method)]
			require.Equal(t, routes[method+" "+path], is, "%s %s", method, path)
			request, err := http.NewRequest(method, w.server.URL+path, nil)
			require.NoError(t, err)
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, !is, response.StatusCode == http.StatusMethodNotAllowed, "%s %s: %s", method, path, response.Status)
			require.NotEqual(t, http.StatusNotFound, response.StatusCode)
			delete(routes, method+" "+path)
		}
	}
	require.Empty(t, routes, "not described")
}
