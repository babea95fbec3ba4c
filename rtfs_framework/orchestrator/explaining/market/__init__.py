"""What a host offers to programs, how one finds it, and what a program needs of it and lacks."""
