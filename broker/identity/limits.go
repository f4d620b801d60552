package identity

import (
	"fmt"
	"time"
)

// outlived says why a sign-in is over by a limit of its profile, whatever the
// provider would allow, or nothing.
func (c Client) outlived(r *record, lastUse, now time.Time) *EndedError {
	if r == nil || r.dead != "" {
		return nil
	}
	end := c.endOf(r, lastUse)
	switch {
	case end.IsZero() || now.Before(end):
		return nil
	case c.AbsoluteLimit > 0 && end.Equal(r.signedInAt.Add(c.AbsoluteLimit)):
		return &EndedError{Reason: "the profile allows " + spell(c.AbsoluteLimit) + " after a sign-in", At: end}
	}
	return &EndedError{Reason: "the profile allows " + spell(c.IdleLimit) + " without a call", At: end}
}

// endOf is when the limits of the client end a sign-in that was used last at
// lastUse, or the zero time when there are none.
func (c Client) endOf(r *record, lastUse time.Time) time.Time {
	var end time.Time
	if c.IdleLimit > 0 {
		if r.signedInAt.After(lastUse) {
			lastUse = r.signedInAt
		}
		end = lastUse.Add(c.IdleLimit)
	}
	if last := r.signedInAt.Add(c.AbsoluteLimit); c.AbsoluteLimit > 0 && (end.IsZero() || last.Before(end)) {
		end = last
	}
	return end
}

// spell is a limit for people, without the zeros that Duration.String has.
func spell(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := d / unit.length; {
		case d%unit.length != 0:
		case n == 1:
			return "one " + unit.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}
