"""What `manage.py rollout` can do, a module for each verb or family of them."""
