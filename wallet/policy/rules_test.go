package policy

import (
	"errors"
	"math/big"
	"regexp"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/wei"
)

func gweis(n uint64) Amount { return AmountOf(wei.FromUint64(n * gwei)) }

func in(place string) func(Setting) string {
	return func(s Setting) string { return string(s) + " in " + place }
}

// A file's limits hold, whatever a command line says.
func TestLaterRulesOnlyTighten(t *testing.T) {
	a, b := common.Address{0xaa}, common.Address{0xbb}
	file := Rules{
		Values:  Values{MaxTicketEV: gweis(100), MaxTotalEV: gweis(1000), MaxFaceValue: gweis(5000), DepositMultiplier: Count(3), Recipients: Addresses{a}},
		Binding: true,
		Where:   in("a file"),
	}
	limits, err := Default().With(file)
	require.NoError(t, err)
	require.Equal(t, big.NewRat(100*gwei, 1), limits.MaxEV)

	for _, c := range []struct {
		rules        Rules
		asked, limit string
	}{
		{Rules{Values: Values{MaxTicketEV: gweis(101)}}, "101 gwei", "100 gwei"},
		{Rules{Values: Values{MaxTotalEV: gweis(1001)}}, "1001 gwei", "1000 gwei"},
		{Rules{Values: Values{MaxFaceValue: gweis(5001)}}, "5001 gwei", "5000 gwei"},
		{Rules{Values: Values{DepositMultiplier: Count(1)}}, "1", "3"},
		{Rules{Values: Values{Recipients: Addresses{b}}}, b.Hex(), a.Hex()},
		{Rules{Values: Values{Recipients: Addresses{a, b}}}, a.Hex() + ", " + b.Hex(), a.Hex()},
	} {
		c.rules.Where = Setting.Flag
		_, err := limits.With(c.rules)
		require.ErrorIs(t, err, ErrLimit)
		require.Regexp(t, "^--.*: "+regexp.QuoteMeta(c.asked)+" would loosen the limit of "+regexp.QuoteMeta(c.limit)+" that .* in a file sets$", err)
		said, _ := hint.Of(err)
		require.Regexp(t, "change .* in a file$", said)
	}

	tighter, err := limits.With(Rules{Values: Values{MaxTicketEV: gweis(50)}, Where: Setting.Flag})
	require.NoError(t, err)
	_, err = tighter.With(Rules{Values: Values{MaxTicketEV: gweis(100)}, Where: Setting.Flag})
	require.ErrorIs(t, err, ErrLimit)
	require.Equal(t, big.NewRat(100*gwei, 1), limits.MaxEV, "the limits before stay as they were")
}

// Defaults are no promise: anything may be set over them, and set again.
func TestDefaultsAreFree(t *testing.T) {
	limits, err := Default().With(Rules{Values: Values{MaxTicketEV: gweis(1_000_000)}, Where: Setting.Flag})
	require.NoError(t, err)
	limits, err = limits.With(Rules{Values: Values{MaxTicketEV: gweis(2_000_000)}, Where: Setting.Flag})
	require.NoError(t, err)
	require.Equal(t, big.NewRat(2_000_000*gwei, 1), limits.MaxEV)
	none, err := Default().With(Rules{Where: Setting.Flag})
	require.NoError(t, err)
	require.Equal(t, Default().Limits, none.Limits)
}

// A refusal says where its limit is set, and what to change.
func TestRefusalsNameThePlace(t *testing.T) {
	params := goodParams()
	for _, c := range []struct {
		rules      Rules
		text, hint string
	}{
		{Rules{}, "is above the limit of 3000 gwei (the default)", "allow it with --max-ticket-ev"},
		{Rules{Values: Values{MaxTicketEV: gweis(2)}, Where: Setting.Flag}, "is above the limit of 2 gwei (--max-ticket-ev)", "allow it with --max-ticket-ev"},
		{Rules{Values: Values{MaxTicketEV: gweis(2)}, Where: in("a file"), Binding: true}, "is above the limit of 2 gwei (max-ticket-ev in a file)", "change max-ticket-ev in a file"},
		{Rules{Values: Values{MaxFaceValue: gweis(2)}, Where: in("a file"), Binding: true}, "is above the limit of 2 gwei (max-face-value in a file)", "-maxFaceValue"},
		{Rules{Values: Values{Recipients: Addresses{{1}, {2}}}, Where: in("a file"), Binding: true}, "none of the 2 allowed recipients (recipient in a file)", "URL and recipient in a file"},
	} {
		limits, err := Default().With(c.rules)
		require.NoError(t, err)
		offered := *params
		if c.rules.Values == nil {
			offered.FaceValue = new(big.Int).Mul(params.FaceValue, big.NewInt(1000))
		}
		err = limits.CheckParams(&offered, 1)
		var refusal *Refusal
		require.ErrorAs(t, err, &refusal)
		require.Contains(t, refusal.Error(), c.text)
		require.Contains(t, refusal.Hint(), c.hint)
	}
}

// However many rules come one after the other, no limit is ever looser than a binding
// one before it.
func TestBindingRulesHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Default()
		var bound *big.Rat
		for range rapid.IntRange(1, 6).Draw(t, "rules") {
			rules := Rules{Values: Values{MaxTotalEV: gweis(rapid.Uint64Range(1, 100).Draw(t, "limit"))}, Binding: rapid.Bool().Draw(t, "binding"), Where: Setting.Flag}
			next, err := limits.With(rules)
			if err != nil {
				require.True(t, errors.Is(err, ErrLimit))
				require.NotNil(t, bound, "nothing was binding")
				continue
			}
			limits = next
			require.Equal(t, rules.Values[MaxTotalEV].(Amount).exact(), limits.MaxTotalEV)
			if bound != nil {
				require.LessOrEqual(t, limits.MaxTotalEV.Cmp(bound), 0)
			}
			if rules.Binding || bound != nil {
				bound = limits.MaxTotalEV
			}
		}
	})
}

// What is no setting, or no value of one, is refused: it would hold nothing.
func TestValuesAreOfTheirSettings(t *testing.T) {
	bound, err := Default().With(Rules{Values: Values{Recipients: Addresses{{1}}}, Binding: true, Where: in("a file")})
	require.NoError(t, err)
	for name, values := range map[string]Values{
		"no setting":    {"max-fees": gweis(1)},
		"another form":  {MaxFee: Count(1)},
		"nothing":       {MaxFee: nil},
		"no recipients": {Recipients: Addresses(nil)},
	} {
		_, err := bound.With(Rules{Values: values, Where: Setting.Flag})
		require.ErrorIs(t, err, ErrValue, name)
	}
	zero, err := bound.With(Rules{Values: Values{MaxFee: Amount{}}, Where: Setting.Flag})
	require.NoError(t, err)
	require.True(t, zero.MaxFee.IsZero())
}

// Rules that a program sets name their place by their setting.
func TestRulesWithoutAPlace(t *testing.T) {
	limits, err := Default().With(Rules{Values: Values{MaxFaceValue: gweis(1)}, Binding: true})
	require.NoError(t, err)
	require.Equal(t, "limits.max_face_value", limits.Where(MaxFaceValue))
	_, err = limits.With(Rules{Values: Values{MaxFaceValue: gweis(2)}})
	require.EqualError(t, err, "limits.max_face_value: 2 gwei would loosen the limit of 1 gwei that limits.max_face_value sets")
}

// Limits without the two that stop a dishonest recipient and a dishonest node get them from the
// default ones, and keep what they set.
func TestOrDefault(t *testing.T) {
	one := wei.FromUint64(1)
	require.Equal(t, Default(), Limits{}.OrDefault())
	want := Default()
	want.Recipients, want.MaxGasPrice, want.MaxTotalEV, want.InactiveOK = []common.Address{{1}}, &one, big.NewRat(5, 1), true
	given := Limits{Recipients: []common.Address{{1}}, MaxGasPrice: &one, InactiveOK: true}
	given.MaxTotalEV = big.NewRat(5, 1)
	require.Equal(t, want, given.OrDefault())
	noFee := Default()
	noFee.MaxFee = nil
	require.Equal(t, noFee, noFee.OrDefault(), "limits that were decided stay as they are")
}
