package broker

// Used tells the session that the person's client made a call that was let
// through, which is what keeps the idle limit of its profile from being reached.
func (s *signIn) Used() {
	if session := s.session.Load(); session != nil {
		session.Used()
	}
}
