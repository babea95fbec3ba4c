"""What a run would cost, before anything is paid: the program runs with stand-ins for answers, and nothing is asked."""
