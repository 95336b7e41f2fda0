// Package config reads the files in which a user sets what holds for every command:
// which network, node and account, and limits that no command line can loosen.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/pelletier/go-toml/v2"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// File is a config file. What it does not set is zero.
type File struct {
	// Path is where it is, or would be; Found tells whether it is there.
	Path  string
	Found bool

	// Network is the name of the network to use.
	Network string

	// RPCURLs are the network's nodes, the preferred one first. They may hold keys.
	RPCURLs []string

	// From is the account that acts; nil when none is named.
	From *common.Address

	// Keystore is the path of a folder of key files, or of one.
	Keystore string

	// Store is the location of the store: a path, or a URL that may hold a password.
	Store string

	// MinDeposit and MinReserve are what pmctl status --check wants to see; nil when they
	// are not set.
	MinDeposit, MinReserve *wei.Wei

	// Rules are limits that bind what comes after them.
	Rules policy.Rules

	// Profiles are settings for occasions, by their name: each may set what a file can,
	// and has the file's path and no profiles of its own.
	Profiles map[string]*File
}

// document is a file as it is written.
type document struct {
	section
	Profiles map[string]section `toml:"profile"`
}

// section is all that a file, or a profile in it, can set.
type section struct {
	Network  string   `toml:"network"`
	RPCURLs  []string `toml:"rpc_urls"`
	From     *string  `toml:"from"`
	Keystore string   `toml:"keystore"`
	Store    string   `toml:"store"`
	Limits   limits   `toml:"limits"`
	Budget   budget   `toml:"budget"`
	Check    struct {
		MinDeposit *string `toml:"min_deposit"`
		MinReserve *string `toml:"min_reserve"`
	} `toml:"check"`
}

// limits and budget have a field for each setting of policy's table, by its key: the
// decoder refuses any other, and says in which line it is.
type limits struct {
	MaxTicketEV       *string  `toml:"max_ticket_ev"`
	MaxTotalEV        *string  `toml:"max_total_ev"`
	MaxFaceValue      *string  `toml:"max_face_value"`
	DepositMultiplier *int64   `toml:"deposit_multiplier"`
	NonceCap          *int64   `toml:"nonce_cap"`
	MaxHeadAge        *string  `toml:"max_head_age"`
	Recipients        []string `toml:"recipients"`
	MaxGasPrice       *string  `toml:"max_gas_price"`
	MaxFee            *string  `toml:"max_fee"`
}

type budget struct {
	EVPerDay                 *string `toml:"ev_per_day"`
	FaceValuePerDay          *string `toml:"face_value_per_day"`
	RecipientEVPerDay        *string `toml:"recipient_ev_per_day"`
	RecipientFaceValuePerDay *string `toml:"recipient_face_value_per_day"`
}

// written returns what a struct of settings has under a key; nil for nothing.
func written(settings any, key string) []string {
	v := reflect.ValueOf(settings)
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("toml") != key || v.Field(i).IsNil() {
			continue
		}
		if texts, ok := v.Field(i).Interface().([]string); ok {
			return texts
		}
		return []string{fmt.Sprint(v.Field(i).Elem().Interface())}
	}
	return nil
}

// ErrInvalid is wrapped by the errors about a file's content.
var ErrInvalid = errors.New("the config file cannot be used")

// ErrUnsafe is returned for a file that others than the user and root can change.
var ErrUnsafe = errors.New("the config file could be changed by others")

// ErrPublic is returned for a file that holds a password and that others can read.
var ErrPublic = errors.New("the config file has a password in it that others can read")

// maxSize bounds a file; settings fit many times.
const maxSize = 64 << 10

// Read reads a config file. One that does not exist sets nothing. It fails with
// ErrInvalid, which says the line, ErrUnsafe, ErrPublic, and the file system's errors.
func Read(path string) (*File, error) {
	text, err := load(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if missing {
		text, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	var d document
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&d); err != nil {
		return nil, fmt.Errorf("%w: %s%s", ErrInvalid, path, explain(err))
	}
	f, err := d.section.file(path, "")
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, path, err)
	}
	f.Found = !missing
	secret := store.HasPassword(f.Store)
	for _, name := range slices.Sorted(maps.Keys(d.Profiles)) {
		profile, err := d.profile(path, name)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: profile.%s: %w", ErrInvalid, path, name, err)
		}
		if f.Profiles == nil {
			f.Profiles = make(map[string]*File)
		}
		f.Profiles[name] = profile
		secret = secret || store.HasPassword(profile.Store)
	}
	if secret {
		return f, checkPrivate(path)
	}
	return f, nil
}

func (d *document) profile(path, name string) (*File, error) {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if name == "" || strings.Trim(name, allowed) != "" {
		return nil, errors.New("a profile's name has letters, digits, _ and -")
	}
	section := d.Profiles[name]
	return section.file(path, name)
}

func load(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no file", ErrInvalid, path)
	}
	if err := checkOwner(path, info); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(text) > maxSize {
		err = fmt.Errorf("%w: %s is larger than %d bytes", ErrInvalid, path, maxSize)
	}
	return text, err
}

// explain writes an error of the decoder as one line that begins with its place.
func explain(err error) string {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		row, column := first.Position()
		return fmt.Sprintf(":%d:%d: there is no setting %s", row, column, strings.Join(first.Key(), "."))
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		row, column := wrong.Position()
		text := strings.TrimPrefix(wrong.Error(), "toml: ")
		if found := wrongType.FindStringSubmatch(text); found != nil {
			text = fmt.Sprintf("want %s, found %s", wantedType(found[2]), found[1])
		}
		if key := strings.Join(wrong.Key(), "."); key != "" {
			text = key + ": " + text
		}
		return fmt.Sprintf(":%d:%d: %s", row, column, text)
	}
	return ": " + strings.TrimPrefix(err.Error(), "toml: ")
}

// wrongType matches the decoder's error about a value of another type, which names Go types.
var wrongType = regexp.MustCompile(`^cannot decode TOML (.+) into .* of type (.+)$`)

// wantedType describes the TOML value for a field of a Go type.
func wantedType(field string) string {
	switch {
	case field == "string":
		return "text in quotes"
	case field == "[]string":
		return "a list of texts in quotes"
	case strings.Contains(field, "int"):
		return "a whole number"
	}
	return "another kind of value"
}

// Place names where a setting is, for people: profile is "" outside of profiles.
func Place(key, profile, path string) string {
	if profile != "" {
		key += " of profile " + profile
	}
	return key + " in " + path
}

// file reads the values of a file, or of a profile in it.
func (d *section) file(path, profile string) (*File, error) {
	f := &File{Path: path, Network: d.Network, RPCURLs: d.RPCURLs, Keystore: d.Keystore, Store: d.Store}
	f.Rules = policy.Rules{
		Values:  make(policy.Values),
		Binding: true,
		Where:   func(s policy.Setting) string { return Place(policy.SpecOf(s).Key, profile, path) },
	}
	if slices.Contains(f.RPCURLs, "") {
		return nil, errors.New("rpc_urls: one of them is empty")
	}
	if d.From != nil {
		from, err := format.ParseAddress(*d.From)
		if err != nil {
			return nil, fmt.Errorf("from: %w", err)
		}
		f.From = &from
	}
	sections := map[string]any{policy.SectionLimits: d.Limits, policy.SectionBudget: d.Budget}
	for _, spec := range policy.Table() {
		texts := written(sections[spec.Section], spec.Key)
		if texts == nil {
			continue
		}
		if len(texts) == 0 {
			return nil, fmt.Errorf("%s: nobody could be paid; leave it out to allow everybody", spec.Name())
		}
		value, err := spec.Parse(texts...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", spec.Name(), err)
		}
		f.Rules.Values[spec.Setting] = value
	}
	for _, threshold := range []struct {
		key  string
		text *string
		into **wei.Wei
	}{
		{"min_deposit", d.Check.MinDeposit, &f.MinDeposit},
		{"min_reserve", d.Check.MinReserve, &f.MinReserve},
	} {
		if threshold.text == nil {
			continue
		}
		value, err := wei.Parse(*threshold.text)
		if err != nil {
			return nil, fmt.Errorf("check.%s: %w", threshold.key, err)
		}
		*threshold.into = &value
	}
	return f, nil
}
