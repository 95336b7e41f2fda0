package wei

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, decimal string }{
		{"0wei", "0"},
		{"1wei", "1"},
		{"1000 wei", "1000"},
		{"25gwei", "25000000000"},
		{"0.1eth", "100000000000000000"},
		{"0.1ETH", "100000000000000000"},
		{"0.1ether", "100000000000000000"},
		{"2 Ether", "2000000000000000000"},
		{"1e18wei", "1000000000000000000"},
		{"1E18 wei", "1000000000000000000"},
		{"1.5e+9gwei", "1500000000000000000"},
		{"1e-3eth", "1000000000000000"},
		{"20e-1wei", "2"},
		{"0e-999eth", "0"},
		{"1e77wei", "1" + strings.Repeat("0", 77)},
		{"1.000000000000000001eth", "1000000000000000001"},
		{"007gwei", "7000000000"},
		{"115792089237316195423570985008687907853269984665640564039457584007913129639935wei", "115792089237316195423570985008687907853269984665640564039457584007913129639935"},
	} {
		got, err := Parse(c.in)
		require.NoError(t, err, c.in)
		require.Equal(t, c.decimal, got.Decimal(), c.in)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		in   string
		want error
	}{
		{"1", ErrNoUnit},
		{"0.5", ErrNoUnit},
		{"1 ether please", ErrSyntax},
		{"1ethers", ErrUnit},
		{"", ErrSyntax},
		{"eth", ErrSyntax},
		{".5eth", ErrSyntax},
		{"5.eth", ErrSyntax},
		{"1.2.3eth", ErrSyntax},
		{"1e18", ErrNoUnit},
		{"e18wei", ErrSyntax},
		{"1ewei", ErrUnit},
		{"1e+-1wei", ErrSyntax},
		{"1e1.5wei", ErrSyntax},
		{"1e1e1wei", ErrSyntax},
		{"-1e18wei", ErrRange},
		{"1e77wei1", ErrSyntax},
		{"1e78wei", ErrRange},
		{"1e999eth", ErrRange},
		{"1e9999999999999999999wei", ErrRange},
		{"1e-1wei", ErrTooPrecise},
		{"15e-19eth", ErrTooPrecise},
		{"1e-999eth", ErrTooPrecise},
		{"+1wei", ErrSyntax},
		{"0x10wei", ErrSyntax},
		{"1,5eth", ErrSyntax},
		{"1_000wei", ErrSyntax},
		{"١wei", ErrSyntax},
		{"-1eth", ErrRange},
		{"0.0000000000000000001eth", ErrTooPrecise},
		{"0.0000000001gwei", ErrTooPrecise},
		{"0.1wei", ErrTooPrecise},
		{"115792089237316195423570985008687907853269984665640564039457584007913129639936wei", ErrRange},
		{strings.Repeat("9", 1000) + "eth", ErrRange},
	} {
		_, err := Parse(c.in)
		require.ErrorIs(t, err, c.want, c.in)
	}
	_, err := Parse("1")
	require.ErrorContains(t, err, "0.1eth, 25gwei or 1000wei")
}

func TestString(t *testing.T) {
	for in, want := range map[string]string{
		"0wei":                      "0 wei",
		"1wei":                      "1 wei",
		"99999wei":                  "99999 wei",
		"100000wei":                 "0.0001 gwei",
		"8gwei":                     "8 gwei",
		"100000gwei":                "0.0001 ETH",
		"1eth":                      "1 ETH",
		"1.000000000000000001eth":   "1.000000000000000001 ETH",
		"120000000000000000000 wei": "120 ETH",
	} {
		w, err := Parse(in)
		require.NoError(t, err)
		require.Equal(t, want, w.String(), in)
	}
}

func TestFormatMarksWhatItCuts(t *testing.T) {
	require.Equal(t, "~0.333333333 wei", Format(big.NewRat(1, 3)))
	require.Equal(t, "1.5 wei", Format(big.NewRat(3, 2)))
	require.Equal(t, "~7.999999999999999999 gwei", Format(new(big.Rat).Sub(big.NewRat(8e9, 1), big.NewRat(1, 1e12))))
	require.Equal(t, "-5 wei", Format(big.NewRat(-5, 1)))
	require.Equal(t, "0.000000001 wei", Format(big.NewRat(1, 1e9)))
	require.Equal(t, "less than 0.000000001 wei", Format(big.NewRat(1, 1e9+1)))
	require.Equal(t, "0 wei", Format(new(big.Rat)))
}

func TestStringReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		back, err := Parse(w.String())
		require.NoError(t, err)
		require.Equal(t, w, back)
		flag := Flag(w.Big())
		require.NotContains(t, flag, " ")
		back, err = Parse(flag)
		require.NoError(t, err)
		require.Equal(t, w, back)
	})
}

func TestJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		text, err := json.Marshal(w)
		require.NoError(t, err)
		require.Equal(t, `"`+w.Big().String()+`"`, string(text))
		var back Wei
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, w, back)
	})
	for _, bad := range []string{`"-1"`, `""`, `"01"`, `"1eth"`, `"0x1"`, `"` + strings.Repeat("9", 79) + `"`, `1.5`} {
		var w Wei
		require.Error(t, json.Unmarshal([]byte(bad), &w), bad)
	}
}

func TestArithmetic(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 256)
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw(t), draw(t)
		n := rapid.Uint64().Draw(t, "n")
		for _, op := range []struct {
			want *big.Int
			got  func() (Wei, error)
		}{
			{new(big.Int).Add(a.Big(), b.Big()), func() (Wei, error) { return a.Add(b) }},
			{new(big.Int).Sub(a.Big(), b.Big()), func() (Wei, error) { return a.Sub(b) }},
			{new(big.Int).Mul(a.Big(), new(big.Int).SetUint64(n)), func() (Wei, error) { return a.Mul(n) }},
		} {
			got, err := op.got()
			if op.want.Sign() < 0 || op.want.Cmp(limit) >= 0 {
				require.ErrorIs(t, err, ErrRange)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, op.want.String(), got.Decimal())
		}
		require.Equal(t, a.Big().Cmp(b.Big()), a.Cmp(b))
	})
}

func TestCeil(t *testing.T) {
	for _, c := range []struct {
		in   *big.Rat
		want uint64
	}{{big.NewRat(7, 2), 4}, {big.NewRat(8, 2), 4}, {new(big.Rat), 0}, {big.NewRat(1, 1000), 1}} {
		got, err := Ceil(c.in)
		require.NoError(t, err)
		require.Equal(t, FromUint64(c.want), got)
	}
	_, err := Ceil(big.NewRat(-3, 2))
	require.True(t, errors.Is(err, ErrRange))
}

func TestValuesShareNothing(t *testing.T) {
	b := big.NewInt(5)
	w, err := FromBig(b)
	require.NoError(t, err)
	b.SetInt64(6)
	w.Big().SetInt64(7)
	require.Equal(t, "5", w.Decimal())
	_, err = FromBig(nil)
	require.ErrorIs(t, err, ErrRange)
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"0.1eth", "25gwei", "1000wei", "1", "-1eth", ".eth", "1 gwei"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := Parse(s)
		if err != nil {
			return
		}
		back, err := Parse(w.String())
		require.NoError(t, err)
		require.Equal(t, w, back)
	})
}

func draw(t *rapid.T) Wei {
	bytes := rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "bytes")
	w, err := FromBig(new(big.Int).SetBytes(bytes))
	require.NoError(t, err)
	return w
}
