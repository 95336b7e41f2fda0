// Package config reads config files: the network, node and account for every command, and limits
// that no command line can loosen.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/pelletier/go-toml/v2"

	"github.com/pmctl/pmctl/internal/access"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/topup"
	"github.com/pmctl/pmctl/wallet/wei"
)

// File is a config file. Settings that it does not have are zero.
type File struct {
	// Path is its path; Found reports whether it exists.
	Path  string
	Found bool

	Network string

	// RPCURLs are the network's nodes, the preferred one first. They may contain keys.
	RPCURLs []string

	// From is the account that acts; nil if not set.
	From *common.Address

	// Keystore is the path of a folder of key files, or of one file.
	Keystore string

	// Store is the location of the store: a path, or a URL that may contain a password.
	Store string

	// MinDeposit and MinReserve are the thresholds of pmctl status --check; nil if not set.
	MinDeposit, MinReserve *wei.Wei

	// Rules are limits that later settings cannot loosen.
	Rules policy.Rules

	// FundAuto are the settings of topup.Table that it has, by key.
	FundAuto map[string]string

	// Profiles are alternative settings, by name. Each has the file's path and no profiles of its
	// own.
	Profiles map[string]*File
}

// document is the decoded file.
type document struct {
	section
	Profiles map[string]section `toml:"profile"`
}

// section is what a file, or a profile in it, can set.
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
	FundAuto fundAuto `toml:"fund_auto"`
}

// fundAuto has a field for each setting of topup.Table.
type fundAuto struct {
	Reserve           *string `toml:"reserve"`
	ReserveFaceValues *int64  `toml:"reserve_face_values"`
	FaceValue         *string `toml:"face_value"`
	Deposit           *string `toml:"deposit"`
	DepositDays       *int64  `toml:"deposit_days"`
	DepositPromised   *bool   `toml:"deposit_promised"`
	Step              *string `toml:"step"`
	MaxPerDay         *string `toml:"max_per_day"`
	MaxTotal          *string `toml:"max_total"`
	GasKept           *string `toml:"gas_kept"`
}

// limits and budget have a field for each setting of policy.Table: the decoder refuses other keys,
// and reports their line.
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

// written returns the value of a key in a struct of settings; nil for none.
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

// ErrInvalid is wrapped by errors about a file's content.
var ErrInvalid = errors.New("invalid config file")

// ErrUnsafe is returned for a file that another user than its owner or root can change.
var ErrUnsafe = errors.New("other users can change the config file")

// ErrPublic is returned for a file that contains a password and that other users can read.
var ErrPublic = errors.New("other users can read the config file, which contains a password")

// maxSize limits a file, in bytes.
const maxSize = 64 << 10

// Read reads a config file. A file that does not exist sets nothing. Read returns ErrInvalid with
// the line, ErrUnsafe, ErrPublic, and the file system's errors.
func Read(path string) (*File, error) {
	text, err := load(path)
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return nil, err
	}
	var d document
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&d); err != nil {
		return nil, fmt.Errorf("%w: %s%s", ErrInvalid, path, explain(err))
	}
	if err := checkCase(text); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, path, err)
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
	if errors.Is(err, fs.ErrNotExist) {
		if link := broken(path); link != "" {
			return nil, fmt.Errorf("%w: %s: the symbolic link %s is broken", ErrInvalid, path, link)
		}
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrInvalid, path)
	}
	if err := checkOwner(path, info); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := input.ReadAll(file, maxSize)
	if errors.As(err, new(*input.TooLongError)) {
		err = fmt.Errorf("%w: %s: %w", ErrInvalid, path, err)
	}
	return bytes.TrimPrefix(text, []byte(input.ByteOrderMark)), err
}

// broken returns the symbolic link because of which a path does not exist: the file, or a folder above
// it; "" if there is none. Such a file has limits that must not be lost with a disk that is not mounted.
func broken(path string) string {
	for ; path != filepath.Dir(path); path = filepath.Dir(path) {
		if info, err := os.Lstat(path); err == nil {
			if info.Mode()&fs.ModeSymlink == 0 {
				return ""
			}
			if _, err := os.Stat(path); err == nil {
				return ""
			}
			return path
		}
	}
	return ""
}

// explain returns the decoder's error as one line that begins with its position.
func explain(err error) string {
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		row, column := first.Position()
		return fmt.Sprintf(":%d:%d: unknown setting %s%s", row, column, strings.Join(first.Key(), "."), elsewhere(first.Key()))
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		row, column := wrong.Position()
		text := strings.TrimPrefix(wrong.Error(), "toml: ")
		if found := regexp.MustCompile(wrongType).FindStringSubmatch(text); found != nil {
			text = fmt.Sprintf("want %s, found %s", wantedType(found[2]), found[1])
		}
		if key := strings.Join(wrong.Key(), "."); key != "" {
			text = key + ": " + text
		}
		return fmt.Sprintf(":%d:%d: %s", row, column, text)
	}
	return ": " + strings.TrimPrefix(err.Error(), "toml: ")
}

// checkCase refuses settings that are not in lower case. To the decoder their case makes no difference, and
// the last of two is set; in TOML they are two keys, one of which is unknown here.
func checkCase(text []byte) error {
	var all map[string]any
	if err := toml.Unmarshal(text, &all); err != nil {
		return err
	}
	return checkCaseOf(all)
}

func checkCaseOf(table map[string]any, above ...string) error {
	for _, key := range slices.Sorted(maps.Keys(table)) {
		name := append(slices.Clip(above), key)
		isProfile := len(name) == 2 && name[0] == "profile"
		if strings.ToLower(key) != key && !isProfile {
			return fmt.Errorf("unknown setting %s; settings are in lower case", strings.Join(name, "."))
		}
		if inner, ok := table[key].(map[string]any); ok {
			if err := checkCaseOf(inner, name...); err != nil {
				return err
			}
		}
	}
	return nil
}

// elsewhere names the section that a setting belongs in, where it is in another one; "" if no section
// has it.
func elsewhere(key []string) string {
	const checks = "check"
	sections := map[string]string{"min_deposit": checks, "min_reserve": checks}
	for _, spec := range policy.Table() {
		sections[spec.Key] = spec.Section
	}
	for _, spec := range topup.Table() {
		sections[spec.Key] = topup.Section
	}
	section, known := sections[key[len(key)-1]]
	if !known {
		return ""
	}
	if len(key) > 2 && key[0] == "profile" {
		section = strings.Join([]string{key[0], key[1], section}, ".")
	}
	return fmt.Sprintf("; it belongs in the section [%s]", section)
}

// wrongType matches the decoder's error about a value of another type, which names Go types.
const wrongType = `^cannot (?:decode TOML|store an?) (.+) in(?:to| a) (?:.* of type )?(.+)$`

// wantedType describes the TOML value for a field of a Go type.
func wantedType(field string) string {
	switch {
	case field == "string":
		return "text in quotes"
	case field == "[]string":
		return "a list of texts in quotes"
	case field == "bool":
		return "true or false"
	case strings.Contains(field, "int"):
		return "a whole number"
	case strings.Contains(field, "struct"), strings.Contains(field, "config."):
		return "a section with settings"
	}
	return "another kind of value"
}

// place returns where a setting is set, for people; profile is "" outside of profiles.
func place(key, profile, path string) string {
	if profile != "" {
		key += " of profile " + profile
	}
	return key + " in " + path
}

// file returns the values of a file, or of a profile in it.
func (d *section) file(path, profile string) (*File, error) {
	f := &File{Path: path, Network: d.Network, RPCURLs: d.RPCURLs, Keystore: d.Keystore, Store: d.Store}
	f.Rules = policy.Rules{
		Values:  make(policy.Values),
		Binding: true,
		Where:   func(s policy.Setting) string { return place(policy.SpecOf(s).Key, profile, path) },
	}
	if slices.Contains(f.RPCURLs, "") {
		return nil, errors.New("rpc_urls: one URL is empty")
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
			return nil, fmt.Errorf("%s: the empty list would allow no recipient; omit it to allow any", spec.Name())
		}
		value, err := spec.Parse(texts...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", spec.Name(), err)
		}
		f.Rules.Values[spec.Setting] = value
	}
	for _, spec := range topup.Table() {
		texts := written(d.FundAuto, spec.Key)
		if texts == nil {
			continue
		}
		if err := spec.Check(texts[0]); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", topup.Section, spec.Key, err)
		}
		if f.FundAuto == nil {
			f.FundAuto = make(map[string]string)
		}
		f.FundAuto[spec.Key] = texts[0]
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

// checkPrivate refuses a file with a password that other users can read.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if others := access.Others(path, info); others != "" {
		return fmt.Errorf("%w: %s can read %s; run chmod 600 on it", ErrPublic, others, path)
	}
	return nil
}
